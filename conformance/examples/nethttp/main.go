// D7 Networks' "Verify OTP" with net/http alone. Sessions live in memory.
//
//	CONTROL=1 go run .
package main

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
)

const maxBody = 16 << 10

// A mistake to try the suite on: with BUG=race, several calls at once can use one code.
var bug = os.Getenv("BUG")

type session struct {
	tenant, code string
	expiresAt    time.Time
	used         bool
}

// store keeps everything behind one lock. With a database, verify is one transaction that locks the session's row.
type store struct {
	lock     sync.Mutex
	tenants  map[[32]byte]string // by the hash of their token
	sessions map[string]*session
}

func newStore() *store {
	return &store{tenants: map[[32]byte]string{}, sessions: map[string]*session{}}
}

func (s *store) addTenant(tenant, token string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.tenants[sha256.Sum256([]byte(token))] = tenant
}

func (s *store) tenantOf(token string) (string, bool) {
	s.lock.Lock()
	defer s.lock.Unlock()
	tenant, known := s.tenants[sha256.Sum256([]byte(token))]
	return tenant, known
}

func (s *store) issue(tenant, code string, lifetime time.Duration) string {
	s.lock.Lock()
	defer s.lock.Unlock()
	id := randomID()
	s.sessions[id] = &session{tenant: tenant, code: code, expiresAt: time.Now().Add(lifetime)}
	return id
}

func (s *store) verify(tenant, id, code string) string {
	s.lock.Lock()
	defer s.lock.Unlock()
	session, known := s.sessions[id]
	// Another tenant's session looks exactly like one that does not exist.
	if !known || session.tenant != tenant {
		return "unknown"
	}
	// The state decides before the code does, so that nobody can test codes on a session that is over.
	if session.used {
		return "used"
	}
	if !time.Now().Before(session.expiresAt) {
		return "expired"
	}
	if bug == "race" {
		// "Other calls need not wait for a slow comparison."
		s.lock.Unlock()
		time.Sleep(time.Millisecond)
		s.lock.Lock()
	}
	if subtle.ConstantTimeCompare([]byte(session.code), []byte(code)) != 1 {
		return "wrong"
	}
	session.used = true
	return "approved"
}

// randomID returns a random UUID.
func randomID() string {
	bytes := make([]byte, 16)
	if _, err := rand.Read(bytes); err != nil {
		log.Fatal(err)
	}
	bytes[6] = bytes[6]&0x0f | 0x40
	bytes[8] = bytes[8]&0x3f | 0x80
	text := hex.EncodeToString(bytes)
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

var wellFormed = regexp.MustCompile(`^[0-9]{2,10}$`)

func (s *store) serveVerify(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "Method not allowed")
		return
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	tenant, known := s.tenantOf(token)
	if !strings.EqualFold(scheme, "Bearer") || !known {
		w.Header().Set("WWW-Authenticate", "Bearer")
		code := "ACCESS_TOKEN_SIGNATURE_VERIFICATION_FAILED"
		refuse(w, http.StatusUnauthorized, code, "Access token signature verification failed")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		refuse(w, http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE", "Request body is too large")
		return
	}
	var request struct {
		ID   string `json:"otp_id"`
		Code string `json:"otp_code"`
	}
	// err is also set if the client is gone before its request is complete.
	if err != nil || json.Unmarshal(body, &request) != nil {
		invalid(w, "body", "is not the documented JSON object")
		return
	}
	if request.ID == "" {
		invalid(w, "otp_id", "is required")
		return
	}
	if !wellFormed.MatchString(request.Code) {
		invalid(w, "otp_code", "must have 2 to 10 digits")
		return
	}
	switch s.verify(tenant, request.ID, request.Code) {
	case "approved":
		respond(w, http.StatusOK, object{"status": "APPROVED"})
	case "used":
		respond(w, http.StatusOK, object{"status": "ALREADY_VERIFIED"})
	case "wrong", "expired":
		refuse(w, http.StatusBadRequest, "INVALID_OTP_CODE", "Invalid OTP code or OTP code expired")
	default:
		message := "Given message otp id not exists in the system. Please Try Again!"
		refuse(w, http.StatusNotFound, "MESSAGE_LOG_NOT_EXISTS", message)
	}
}

type object = map[string]any

func refuse(w http.ResponseWriter, status int, code, message string) {
	respond(w, status, object{"detail": object{"code": code, "message": message}})
}

func invalid(w http.ResponseWriter, member, problem string) {
	detail := object{"loc": []string{"body", member}, "msg": problem, "type": "value_error"}
	respond(w, http.StatusUnprocessableEntity, object{"detail": []object{detail}})
}

func main() {
	store := newStore()
	mux := http.NewServeMux()
	// The vendor's page shows one path in its heading and another in its examples.
	mux.HandleFunc("/verify/v1/otp/verify-otp", store.serveVerify)
	mux.HandleFunc("/verify/v1/verify-otp", store.serveVerify)
	// The control issues codes to whoever asks: only a test environment may have it.
	if os.Getenv("CONTROL") == "1" {
		mux.Handle("/_control/", control(store))
	}
	address := os.Getenv("LISTEN")
	if address == "" {
		address = "127.0.0.1:8080"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on http://%s", listener.Addr())
	server := http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second}
	log.Fatal(server.Serve(listener))
}
