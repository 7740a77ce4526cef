# The control of a server for __NAME__: how `otp-conformance check __VENDOR__` creates accounts, issues codes and lets time
# pass. It does so for whoever asks, so only a test environment may have it:
#
#     if os.environ.get("CONTROL") == "1":
#         import control
#
#         app.mount("/_control", control.app(server))
#
# `server` is whatever the three functions below need, such as a connection to your database.

import re

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

# Add "resend" once issue_code() knows recipient_of.
OPERATIONS = ["tenants", "sessions", "age"]


async def create_tenant(server):
    # Create an account that no other test has, without a limit on calls per second. Return the id by which the other two
    # functions know it, and what a client needs:
    #
    #     return {
    #         "tenant": "…",
    #         "parameters": {__PARAMETERS__},
    #         "credentials": {__CREDENTIALS__},
    #     }
    raise NotImplementedError("create_tenant")


async def issue_code(server, tenant, code, ttl_seconds, max_attempts, recipient_of):
    # Issue exactly this code, as your server issues its own, for a recipient of its own and without a message. The next
    # two are wishes, or None for the usual limits (in the contract: __LIMITS__). Clamp them, and return
    # the limits in force, with None where there is none:
    #
    #     return {"session": "…", "ttl_seconds": ttl_seconds, "max_attempts": max_attempts}
    #
    # If `recipient_of` is not None, the code is for the recipient of that session, and replaces the earlier one there.
    # Return None if there is no such tenant or session.
    raise NotImplementedError("issue_code")


async def age_session(server, tenant, session, seconds):
    # Make this session, and no other, older by so many seconds: move all its times back. With a database:
    #
    #     UPDATE sessions SET issued_at = issued_at - …, expires_at = expires_at - … WHERE tenant = … AND id = …
    #
    # Return whether there is such a session.
    raise NotImplementedError("age_session")


# The protocol. Nothing below needs a change.

VENDOR = "__VENDOR__"


class TenantRequest(BaseModel):
    vendor: str


class SessionRequest(BaseModel):
    vendor: str
    tenant: str
    code: str
    ttl_seconds: int | None = None
    max_attempts: int | None = None
    recipient_of: str | None = None


class AgeRequest(BaseModel):
    vendor: str
    tenant: str
    session: str
    seconds: int = Field(ge=0)


def expect_vendor(vendor):
    if vendor != VENDOR:
        raise HTTPException(404, "no such vendor")


def app(server):
    control = FastAPI(openapi_url=None)

    @control.get("/v1")
    async def describe():
        return {"protocol": 1, "implementation": "fastapi", "vendors": [VENDOR], "operations": OPERATIONS}

    @control.post("/v1/tenants", status_code=201)
    async def tenants(request: TenantRequest):
        expect_vendor(request.vendor)
        return await create_tenant(server)

    @control.post("/v1/sessions", status_code=201)
    async def sessions(request: SessionRequest):
        expect_vendor(request.vendor)
        if not re.fullmatch("[__ALPHABET__]{__MIN__,__MAX__}", request.code):
            raise HTTPException(422, "a code has __CODES__")
        if request.recipient_of is not None and "resend" not in OPERATIONS:
            raise HTTPException(501, "resend is not implemented")
        wishes = (request.ttl_seconds, request.max_attempts)
        issued = await issue_code(server, request.tenant, request.code, *wishes, request.recipient_of)
        if issued is None:
            raise HTTPException(404, "no such tenant or session")
        return issued

    @control.post("/v1/sessions/age", status_code=204)
    async def age(request: AgeRequest):
        expect_vendor(request.vendor)
        if not await age_session(server, request.tenant, request.session, request.seconds):
            raise HTTPException(404, "no such session")

    @control.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException):
        return JSONResponse({"error": error.detail}, error.status_code)

    @control.exception_handler(NotImplementedError)
    async def not_implemented(_: Request, error: NotImplementedError):
        return JSONResponse({"error": f"{error} is not implemented"}, 501)

    @control.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError):
        return JSONResponse({"error": "the body is not as documented"}, 400)

    return control
