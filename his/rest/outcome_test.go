package rest_test

import (
	"encoding/json"
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his/rest"
)

// Each is one issue as a server writes it, and what staff and the log get to see of it. Servers
// say the same in many ways; each may repeat what was sent.
func TestOnlyFHIRsOwnWordsComeOutOfARefusal(t *testing.T) {
	type issue map[string]any
	at := func(code string, paths ...string) issue {
		return issue{"severity": "error", "code": code, "expression": paths}
	}
	says := func(words string) issue {
		return issue{"severity": "error", "code": "processing", "diagnostics": words, "details": map[string]any{"text": words}}
	}
	for _, tt := range []struct {
		name  string
		issue issue
		where string
	}{
		{"the kind and the element", at("required", "Patient.birthDate"), "required, Patient.birthDate"},
		{"HAPI's path, with the resource's id in a comment", at("value", "Bundle.entry[2].resource/*Patient/20417*/.identifier[0].value"), "value, Bundle.entry[2].resource.identifier[0].value"},
		{"a path with its type", at("value", "Bundle.entry[2].resource.ofType(Patient).name[0].family"), "value, Bundle.entry[2].resource.ofType(Patient).name[0].family"},
		{"a path as it was said before R4", issue{"severity": "fatal", "code": "structure", "location": []string{"Line[1] Col[2]", "Task.status"}}, "structure, Task.status"},
		{"a path that ends in a value", at("value", "Patient.name[0].Vries"), "value, Patient.name[0]"},
		{"a path that picks by a value", at("value", "Patient.identifier.where(value='999990019').system"), "value, Patient.identifier"},
		{"a path with a number", at("value", "Patient.identifier[999990019]"), "value, Patient"},
		{"a type that is none", at("value", "Bundle.entry[0].resource.ofType(Vries)"), "value, Bundle.entry[0].resource"},
		{"a name for a path", at("value", "Vries", "Jan"), "value"},
		{"a name for a kind", at("vries"), ""},
		{"HAPI's number", says("HAPI-0550: HAPI-0515: Jan de Vries"), "processing, HAPI-0550"},
		{"what looks like it", says("HAPI-20417: Jan"), "processing"},
		{"what looks more like it", says("HAPI-2041799 Jan"), "processing"},
		{"a number of another server", says("[ERR-20417] Jan de Vries"), "processing"},
		{"an id", says("6f1d4e0a-52f1-4a50-9a57-0d6f6a5f7b11 was not found"), "processing"},
		{"a path on its disk", says("/var/lib/his/patients/devries.xml: permission denied"), "processing"},
		{"a stack trace", says("java.lang.NullPointerException\n\tat nl.his.Patient(JanDeVries.java:20417)"), "processing"},
		{"what it asked its database", says("duplicate key value violates unique constraint: (bsn)=(999990019)"), "processing"},
		{"a warning", issue{"severity": "warning", "code": "required", "expression": []string{"Patient.name"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := json.Marshal(map[string]any{"resourceType": "OperationOutcome", "issue": []issue{tt.issue}})
			require.NoError(t, err)
			assert.Equal(t, tt.where, rest.EntryError("422", text).Where)
		})
	}
}

func TestARefusalOfEverythingIsToldInShort(t *testing.T) {
	issue := `{"severity":"error","code":"invariant","expression":["Patient.name","Patient.name"],"location":["Patient.name"]}`
	all := issue
	for range 20 {
		all += "," + issue
	}
	got := rest.EntryError("422", fmt.Appendf(nil, `{"issue":[%s]}`, all)).Where
	assert.Len(t, got, 8*len("invariant, Patient.name")+7*len(", "))
	assert.Empty(t, rest.EntryError("422", []byte("<html>Jan de Vries</html>")).Where)
}

// What is no HTTP is repeated by net/http in its errors; it may be anything that was sent.
func TestAnAnswerThatIsNoHTTPIsNotRepeated(t *testing.T) {
	for name, said := range map[string]string{
		"words":           "Jan de Vries \"999990019\"\r\n\r\n",
		"no header":       "HTTP/1.1 200 OK\r\nJan de Vries 999990019\r\n\r\n",
		"a wrong length":  "HTTP/1.1 200 OK\r\nContent-Length: 999990019 Vries\r\n\r\n",
		"a wrong address": "HTTP/1.1 302 Found\r\nLocation: http://%zz/Vries/999990019\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer listener.Close()
			go func() {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 1024))
				_, _ = conn.Write([]byte(said))
			}()
			_, err = client(t, rest.Settings{Base: "http://" + listener.Addr().String()}).Do(t.Context(), rest.Request{Method: "GET", Path: "Task/1"})
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "Vries")
			assert.NotContains(t, err.Error(), "999990019")
		})
	}
}
