// The control of a server for __NAME__: how `otp-conformance check __VENDOR__` creates accounts, issues codes and lets time
// pass. It does so for whoever asks, so only a test environment may have it:
//
//	if os.Getenv("CONTROL") == "1" {
//		mux.Handle("/_control/", control(server))
//	}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
)

// controlled is whatever the three functions below need, such as a connection to your database.
type controlled = any

// Add "resend" once issueCode knows RecipientOf.
var controlOperations = []string{"tenants", "sessions", "age"}

// createTenant creates an account that no other test has, without a limit on calls per second. It returns the id by which
// the other two functions know it, and what a client needs:
//
//	return &tenant{
//		ID:          "…",
//		Parameters:  map[string]string{__PARAMETERS__},
//		Credentials: map[string]map[string]string{__CREDENTIALS__},
//	}, nil
func createTenant(ctx context.Context, server controlled) (*tenant, error) {
	return nil, errNotImplemented
}

// issueCode issues exactly request.Code, as your server issues its own, for a recipient of its own and without a message.
// TTLSeconds and MaxAttempts are wishes, or nil for the usual limits (in the contract: __LIMITS__). It
// clamps them, and returns the limits in force, with nil where there is none:
//
//	return &issued{Session: "…", TTLSeconds: &ttl, MaxAttempts: &attempts}, nil
//
// If RecipientOf is not nil, the code is for the recipient of that session, and replaces the earlier one there. It returns
// errNotFound if there is no such tenant or session.
func issueCode(ctx context.Context, server controlled, request sessionRequest) (*issued, error) {
	return nil, errNotImplemented
}

// ageSession makes a session, and no other, older by so many seconds: it moves all its times back. With a database:
//
//	UPDATE sessions SET issued_at = issued_at - …, expires_at = expires_at - … WHERE tenant = … AND id = …
//
// It returns errNotFound if there is no such session.
func ageSession(ctx context.Context, server controlled, tenant, session string, seconds int64) error {
	return errNotImplemented
}

// The protocol. Nothing below needs a change.

const controlVendor = "__VENDOR__"

var (
	errInvalid        = errors.New("the body is not as documented")
	errNotFound       = errors.New("no such vendor, tenant or session")
	errNotImplemented = errors.New("not implemented")
	errCode           = errors.New("a code has __CODES__")

	issuableCode = regexp.MustCompile(`^[__ALPHABET__]{__MIN__,__MAX__}$`)
)

type tenant struct {
	ID          string                       `json:"tenant"`
	Parameters  map[string]string            `json:"parameters"`
	Credentials map[string]map[string]string `json:"credentials"`
}

type sessionRequest struct {
	Vendor      string  `json:"vendor"`
	Tenant      string  `json:"tenant"`
	Code        string  `json:"code"`
	TTLSeconds  *int64  `json:"ttl_seconds"`
	MaxAttempts *int64  `json:"max_attempts"`
	RecipientOf *string `json:"recipient_of"`
}

type issued struct {
	Session     string `json:"session"`
	TTLSeconds  *int64 `json:"ttl_seconds"`
	MaxAttempts *int64 `json:"max_attempts"`
}

type ageRequest struct {
	Vendor  string `json:"vendor"`
	Tenant  string `json:"tenant"`
	Session string `json:"session"`
	Seconds *int64 `json:"seconds"`
}

func control(server controlled) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/_control/v1", func(w http.ResponseWriter, r *http.Request) {
		respond(w, http.StatusOK, map[string]any{
			"protocol":       1,
			"implementation": "net/http",
			"vendors":        []string{controlVendor},
			"operations":     controlOperations,
		})
	})
	mux.HandleFunc("/_control/v1/tenants", func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Vendor string `json:"vendor"`
		}
		if err := read(r, &request, &request.Vendor); err != nil {
			refuseControl(w, err)
			return
		}
		created, err := createTenant(r.Context(), server)
		if err != nil {
			refuseControl(w, err)
			return
		}
		respond(w, http.StatusCreated, created)
	})
	mux.HandleFunc("/_control/v1/sessions", func(w http.ResponseWriter, r *http.Request) {
		var request sessionRequest
		err := read(r, &request, &request.Vendor)
		if err == nil && !issuableCode.MatchString(request.Code) {
			err = errCode
		}
		if err == nil && request.RecipientOf != nil && !offers("resend") {
			err = errNotImplemented
		}
		if err != nil {
			refuseControl(w, err)
			return
		}
		created, err := issueCode(r.Context(), server, request)
		if err != nil {
			refuseControl(w, err)
			return
		}
		respond(w, http.StatusCreated, created)
	})
	mux.HandleFunc("/_control/v1/sessions/age", func(w http.ResponseWriter, r *http.Request) {
		var request ageRequest
		err := read(r, &request, &request.Vendor)
		if err == nil && (request.Seconds == nil || *request.Seconds < 0) {
			err = errInvalid
		}
		if err == nil {
			err = ageSession(r.Context(), server, request.Tenant, request.Session, *request.Seconds)
		}
		if err != nil {
			refuseControl(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// read decodes the body into request, whose vendor must be ours.
func read(r *http.Request, request any, vendor *string) error {
	if json.NewDecoder(r.Body).Decode(request) != nil {
		return errInvalid
	}
	if *vendor != controlVendor {
		return errNotFound
	}
	return nil
}

func offers(operation string) bool {
	for _, offered := range controlOperations {
		if offered == operation {
			return true
		}
	}
	return false
}

func refuseControl(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, errInvalid):
		status = http.StatusBadRequest
	case errors.Is(err, errNotFound):
		status = http.StatusNotFound
	case errors.Is(err, errCode):
		status = http.StatusUnprocessableEntity
	case errors.Is(err, errNotImplemented):
		status = http.StatusNotImplemented
	}
	respond(w, status, map[string]string{"error": err.Error()})
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An error means that the client is gone.
	_ = json.NewEncoder(w).Encode(body)
}
