// How `otp-conformance check d7` creates accounts, issues codes and lets time pass; made with `otp-conformance init control`.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"time"
)

type controlled = *store

var controlOperations = []string{"tenants", "sessions", "age", "resend"}

func createTenant(_ context.Context, store controlled) (*tenant, error) {
	id, token := randomID(), randomID()
	store.addTenant(id, token)
	return &tenant{
		ID:          id,
		Parameters:  map[string]string{},
		Credentials: map[string]map[string]string{"bearerAuth": {"token": token}},
	}, nil
}

func issueCode(_ context.Context, store controlled, request sessionRequest) (*issued, error) {
	lifetime := int64(600)
	if wish := request.TTLSeconds; wish != nil {
		lifetime = *wish
	}
	if lifetime < 1 {
		lifetime = 1
	}
	if lifetime > 3600 {
		lifetime = 3600
	}
	if !store.hasTenant(request.Tenant) {
		return nil, errNotFound
	}
	// The recipient's new code replaces the earlier one.
	if request.RecipientOf != nil && !store.remove(request.Tenant, *request.RecipientOf) {
		return nil, errNotFound
	}
	session := store.issue(request.Tenant, request.Code, time.Duration(lifetime)*time.Second)
	// The vendor's page mentions no limit of attempts, and this server has none.
	return &issued{Session: session, TTLSeconds: &lifetime}, nil
}

func ageSession(_ context.Context, store controlled, tenant, session string, seconds int64) error {
	if !store.age(tenant, session, time.Duration(seconds)*time.Second) {
		return errNotFound
	}
	return nil
}

func (s *store) hasTenant(tenant string) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, known := range s.tenants {
		if known == tenant {
			return true
		}
	}
	return false
}

// remove ends a session whose recipient gets a new code.
func (s *store) remove(tenant, id string) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	session, known := s.sessions[id]
	if !known || session.tenant != tenant {
		return false
	}
	delete(s.sessions, id)
	return true
}

func (s *store) age(tenant, id string, by time.Duration) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	session, known := s.sessions[id]
	if !known || session.tenant != tenant {
		return false
	}
	session.expiresAt = session.expiresAt.Add(-by)
	return true
}

// The protocol. Nothing below needs a change.

const controlVendor = "d7"

var (
	errInvalid        = errors.New("the body is not as documented")
	errNotFound       = errors.New("no such vendor, tenant or session")
	errNotImplemented = errors.New("not implemented")
	errCode           = errors.New("a code has 2 to 10 digits")

	issuableCode = regexp.MustCompile(`^[0-9]{2,10}$`)
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
