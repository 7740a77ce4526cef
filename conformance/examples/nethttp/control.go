package main

import (
	"encoding/json"
	"net/http"
	"time"
)

// The operations by which the conformance suite creates accounts, issues codes and lets time pass. For tests only.

const vendor = "d7"

// controlRequest has the members of all operations.
type controlRequest struct {
	Vendor      string  `json:"vendor"`
	Tenant      string  `json:"tenant"`
	Session     string  `json:"session"`
	Code        string  `json:"code"`
	TTLSeconds  *int64  `json:"ttl_seconds"`
	RecipientOf *string `json:"recipient_of"`
	Seconds     *int64  `json:"seconds"`
}

type operation = func(store *store, request controlRequest) (status int, body any)

func control(store *store) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/_control/v1", func(w http.ResponseWriter, r *http.Request) {
		operations := []string{"tenants", "sessions", "age", "resend"}
		description := object{"protocol": 1, "implementation": "nethttp-example/1"}
		description["vendors"], description["operations"] = []string{vendor}, operations
		writeJSON(w, http.StatusOK, description)
	})
	for path, run := range map[string]operation{"tenants": createTenant, "sessions": issue, "sessions/age": age} {
		run := run
		mux.HandleFunc("/_control/v1/"+path, func(w http.ResponseWriter, r *http.Request) {
			var request controlRequest
			if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
				writeJSON(w, http.StatusBadRequest, object{"error": err.Error()})
				return
			}
			if request.Vendor != vendor {
				writeJSON(w, http.StatusNotFound, object{"error": "no such vendor"})
				return
			}
			status, body := run(store, request)
			if status == http.StatusNoContent {
				w.WriteHeader(status)
				return
			}
			writeJSON(w, status, body)
		})
	}
	return mux
}

func createTenant(store *store, _ controlRequest) (int, any) {
	tenant, token := randomID(), randomID()
	store.addTenant(tenant, token)
	credentials := object{"bearerAuth": object{"token": token}}
	return http.StatusCreated, object{"tenant": tenant, "parameters": object{}, "credentials": credentials}
}

func issue(store *store, request controlRequest) (int, any) {
	if !wellFormed.MatchString(request.Code) {
		return http.StatusUnprocessableEntity, object{"error": "a code has 2 to 10 digits"}
	}
	if !store.hasTenant(request.Tenant) {
		return http.StatusNotFound, object{"error": "no such tenant"}
	}
	if request.RecipientOf != nil && !store.remove(request.Tenant, *request.RecipientOf) {
		return http.StatusNotFound, object{"error": "no such session"}
	}
	seconds := int64(600)
	if wish := request.TTLSeconds; wish != nil {
		seconds = *wish
	}
	if seconds < 1 {
		seconds = 1
	}
	if seconds > 3600 {
		seconds = 3600
	}
	id := store.issue(request.Tenant, request.Code, time.Duration(seconds)*time.Second)
	// The vendor's page mentions no limit of attempts, and this server has none.
	return http.StatusCreated, object{"session": id, "ttl_seconds": seconds, "max_attempts": nil}
}

func age(store *store, request controlRequest) (int, any) {
	if request.Seconds == nil || *request.Seconds < 0 {
		return http.StatusBadRequest, object{"error": "seconds is no whole number"}
	}
	if !store.age(request.Tenant, request.Session, time.Duration(*request.Seconds)*time.Second) {
		return http.StatusNotFound, object{"error": "no such session"}
	}
	return http.StatusNoContent, nil
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
