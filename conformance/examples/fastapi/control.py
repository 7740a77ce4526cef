# How `otp-conformance check zeckta` creates accounts, issues codes and lets time pass; made with `otp-conformance init control`.

import re
import secrets
import uuid

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

OPERATIONS = ["tenants", "sessions", "age", "resend"]


async def create_tenant(store):
    workspace, key = str(uuid.uuid4()), secrets.token_urlsafe(24)
    store.add_workspace(workspace, key)
    return {"tenant": workspace, "parameters": {}, "credentials": {"bearerAuth": {"token": key}}}


async def issue_code(store, tenant, code, ttl_seconds, max_attempts, recipient_of):
    lifetime = min(max(ttl_seconds or 300, 1), 3600)
    attempts = left = min(max(max_attempts or 5, 1), 100)
    if tenant not in store.workspaces.values():
        return None
    if recipient_of is not None:
        earlier = store.session_of(tenant, recipient_of)
        if earlier is None:
            return None
        # The new code replaces the earlier one, and brings no new attempts.
        left = min(left, earlier.attempts_left)
        del store.sessions[recipient_of]
    session = store.issue(tenant, code, lifetime, left)
    return {"session": session, "ttl_seconds": lifetime, "max_attempts": attempts}


async def age_session(store, tenant, session, seconds):
    found = store.session_of(tenant, session)
    if found is not None:
        found.expires_at -= seconds
    return found is not None


# The protocol. Nothing below needs a change.

VENDOR = "zeckta"


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
        if not re.fullmatch("[0-9]{4,10}", request.code):
            raise HTTPException(422, "a code has 4 to 10 digits")
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
