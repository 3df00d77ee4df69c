package his_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeFHIR is a FHIR server in memory for what real ones do not do on demand: fewer
// abilities. It proves nothing about FHIR; HAPI and Medplum do that (his/conformance).
type fakeFHIR struct {
	*httptest.Server
	statement map[string]any // nil: it has none
	plain     bool           // it ignores If-None-Exist and knows no conditional update
	foreign   bool           // it lets nobody else give ids
	types     []string       // that it has; none: all
	doubling  []string       // types of which it ignores If-None-Exist
	sick      map[string]int // by Type/id: the status of an answer
	noUpdated bool           // it cannot search by _lastUpdated
	ignores   []string       // search parameters that it does not know, and leaves out
	denies    []string       // the same, but then it finds nothing
	sloppy    string         // a type that it refuses in a transaction, of which it does the rest; "": none
	before    func(method string, body map[string]any)
	// failSearch gives the status of a search that fails; 0: it does not
	failSearch func(kind string, form url.Values) int

	mu       sync.Mutex
	versions map[string][]map[string]any // by Type/id, oldest first
	order    []string
	made     int
	asked    []string
}

func newFakeFHIR(t testing.TB) *fakeFHIR {
	t.Helper()
	f := &fakeFHIR{versions: map[string][]map[string]any{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fakeFHIR) empty(testing.TB) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.versions, f.order = map[string][]map[string]any{}, nil
}

// a reply is one answer, also within a Bundle.
type reply struct {
	status   int
	location string
	body     map[string]any
}

func (a reply) path() string {
	at, _, _ := strings.Cut(a.location, "/_history/")
	return at
}

func (f *fakeFHIR) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r.Method+" "+r.URL.String())
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // it broke off: as if it never came
	}
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/fhir"), "/")
	var content map[string]any
	if len(body) > 0 && r.Header.Get("Content-Type") == "application/fhir+json" && json.Unmarshal(body, &content) != nil {
		f.answer(w, reply{status: 400})
		return
	}
	if f.before != nil {
		f.before(r.Method, content)
	}
	switch {
	case path == "" && content["type"] == "transaction":
		f.answer(w, f.transaction(content))
	case strings.HasSuffix(path, "/_search"):
		form, _ := url.ParseQuery(string(body))
		kind := strings.TrimSuffix(path, "/_search")
		if f.failSearch != nil {
			if status := f.failSearch(kind, form); status != 0 {
				f.answer(w, reply{status: status, body: map[string]any{"resourceType": "OperationOutcome"}})
				return
			}
		}
		f.answer(w, f.search(kind, form))
	default:
		f.answer(w, f.one(r.Method, path, r.URL.RawQuery, r.Header.Get("If-None-Exist"), r.Header.Get("If-Match"), content))
	}
}

func (f *fakeFHIR) answer(w http.ResponseWriter, a reply) {
	w.Header().Set("Content-Type", "application/fhir+json")
	if a.location != "" {
		w.Header().Set("Location", f.URL+"/fhir/"+a.location)
	}
	w.WriteHeader(a.status)
	if a.body != nil {
		json.NewEncoder(w).Encode(a.body) //nolint:errcheck // a test
	}
}

func (f *fakeFHIR) one(method, path, query, none, match string, content map[string]any) reply {
	parts := strings.Split(path, "/")
	switch {
	case f.isWithout(parts[0]):
		return reply{status: 400, body: map[string]any{"resourceType": "OperationOutcome"}}
	case method == http.MethodGet && path == "metadata":
		if f.statement == nil {
			return reply{status: 404}
		}
		return reply{status: 200, body: f.statement}
	case method == http.MethodGet:
		return f.read(parts, query)
	case method == http.MethodPut && len(parts) == 2 && f.foreign && f.newest(path) == nil:
		return reply{status: 405}
	case method == http.MethodPut && len(parts) == 2:
		return f.put(path, match, content)
	case method == http.MethodPut && f.plain:
		return reply{status: 405}
	case f.plain || query+none == "" || slices.Contains(f.doubling, path):
		return f.create(path, content)
	}
	found := f.find(path, query+none)
	switch {
	case len(found) > 1:
		return reply{status: 412}
	case len(found) == 1 && method == http.MethodPut:
		return f.put(found[0], match, content)
	case len(found) == 1:
		return reply{status: 200, location: f.versioned(found[0])}
	}
	return f.create(path, content)
}

func (f *fakeFHIR) create(kind string, content map[string]any) reply {
	f.made++
	at := f.store(kind+"/"+strconv.Itoa(f.made), content)
	return reply{201, at, f.newest(kind + "/" + strconv.Itoa(f.made))}
}

func (f *fakeFHIR) put(path, match string, content map[string]any) reply {
	known := f.versions[path]
	if match != "" && match != fmt.Sprintf(`W/"%d"`, len(known)) {
		return reply{status: 412}
	}
	status := map[bool]int{true: 201, false: 200}[len(known) == 0]
	return reply{status, f.store(path, content), nil}
}

// store adds a version, unless nothing changed.
func (f *fakeFHIR) store(path string, content map[string]any) (at string) {
	content = maps.Clone(content)
	delete(content, "meta")
	if last := f.newest(path); last != nil {
		same := maps.Clone(last)
		delete(same, "meta")
		delete(same, "id")
		plain := maps.Clone(content)
		delete(plain, "id")
		if fmt.Sprint(same) == fmt.Sprint(plain) {
			return f.versioned(path)
		}
	} else {
		f.order = append(f.order, path)
	}
	_, content["id"], _ = strings.Cut(path, "/")
	content["meta"] = map[string]any{
		"versionId": strconv.Itoa(len(f.versions[path]) + 1), "lastUpdated": time.Now().UTC().Format(time.RFC3339Nano),
	}
	f.versions[path] = append(f.versions[path], content)
	return f.versioned(path)
}

func (f *fakeFHIR) versioned(path string) string {
	return path + "/_history/" + strconv.Itoa(len(f.versions[path]))
}

func (f *fakeFHIR) newest(path string) map[string]any {
	if all := f.versions[path]; len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

func (f *fakeFHIR) read(parts []string, query string) reply {
	form, _ := url.ParseQuery(query)
	switch {
	case len(parts) == 1:
		return f.search(parts[0], form)
	case len(parts) == 2 && parts[1] == "_history":
		var all []any
		for _, path := range slices.Backward(f.order) {
			if strings.HasPrefix(path, parts[0]+"/") {
				all = append(all, map[string]any{"resource": f.newest(path)})
			}
		}
		return reply{status: 200, body: map[string]any{"resourceType": "Bundle", "type": "history", "entry": all}}
	case len(parts) == 3:
		var all []any
		for _, v := range slices.Backward(f.versions[parts[0]+"/"+parts[1]]) {
			all = append(all, map[string]any{"resource": v})
		}
		return reply{status: 200, body: map[string]any{"resourceType": "Bundle", "entry": all}}
	}
	if status := f.sick[strings.Join(parts, "/")]; status != 0 {
		return reply{status: status, body: map[string]any{"resourceType": "OperationOutcome"}}
	}
	r := f.newest(strings.Join(parts, "/"))
	if r == nil {
		return reply{status: 404}
	}
	return reply{status: 200, body: r}
}

// search gives pages of two, so that there are always several.
func (f *fakeFHIR) search(kind string, form url.Values) reply {
	if form.Has("_lastUpdated") && f.noUpdated || f.isWithout(kind) {
		return reply{status: 400, body: map[string]any{"resourceType": "OperationOutcome"}}
	}
	skip, _ := strconv.Atoi(form.Get("skip"))
	form.Del("skip")
	for _, param := range f.ignores {
		form.Del(param)
	}
	if slices.ContainsFunc(f.denies, form.Has) {
		return reply{status: 200, body: map[string]any{"resourceType": "Bundle", "type": "searchset"}}
	}
	found := f.find(kind, form.Encode())
	body := map[string]any{"resourceType": "Bundle", "type": "searchset"}
	if len(found) > skip+2 {
		again := maps.Clone(form)
		again.Set("skip", strconv.Itoa(skip+2))
		body["link"] = []any{map[string]any{"relation": "next", "url": "/fhir/" + kind + "?" + again.Encode()}}
	}
	var entries []any
	for _, path := range found[min(skip, len(found)):min(skip+2, len(found))] {
		entries = append(entries, map[string]any{"resource": f.newest(path)})
	}
	body["entry"] = entries
	return reply{status: 200, body: body}
}

// find knows the parameters that we use, and believes that any other matches.
func (f *fakeFHIR) find(kind, query string) (found []string) {
	form, _ := url.ParseQuery(query)
	for _, path := range f.order {
		if of, _, _ := strings.Cut(path, "/"); of == kind && matches(f.newest(path), form) {
			found = append(found, path)
		}
	}
	return found
}

func matches(r map[string]any, form url.Values) bool {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	if system, value, both := strings.Cut(form.Get("identifier"), "|"); system != "" {
		all, _ := r["identifier"].([]any)
		if !slices.ContainsFunc(all, func(i any) bool {
			one := i.(map[string]any)
			return both && one["system"] == system && one["value"] == value || !both && one["value"] == system
		}) {
			return false
		}
	}
	for _, param := range []string{"part-of", "related"} {
		if want := form.Get(param); want != "" && !strings.Contains(string(text), `"reference":"`+want+`"`) {
			return false
		}
	}
	if since, bad := time.Parse("ge"+time.RFC3339, form.Get("_lastUpdated")); bad == nil {
		at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(r["meta"].(map[string]any)["lastUpdated"]))
		if err != nil || at.Before(since) {
			return false
		}
	}
	born := form.Get("birthdate")
	return born == "" || r["birthDate"] == born
}

// transaction does all or nothing, with references between its entries made real.
func (f *fakeFHIR) transaction(bundle map[string]any) reply {
	before, order, made := maps.Clone(f.versions), slices.Clone(f.order), f.made
	known := map[string]string{}
	var answers []any
	for range 2 { // first to know the addresses, then with them
		f.versions, f.order, f.made, answers = maps.Clone(before), slices.Clone(order), made, nil
		for _, e := range bundle["entry"].([]any) {
			if f.sloppy != "" && e.(map[string]any)["resource"].(map[string]any)["resourceType"] == f.sloppy {
				answers = append(answers, map[string]any{"response": map[string]any{"status": "422"}})
				continue
			}
			a, full := f.entry(e.(map[string]any), known)
			if a.status > 299 {
				f.versions, f.order, f.made = before, order, made
				return reply{status: a.status, body: map[string]any{"resourceType": "OperationOutcome"}}
			}
			at, _, _ := strings.Cut(a.location, "/_history/")
			known[full] = at
			answers = append(answers, map[string]any{"response": map[string]any{"status": strconv.Itoa(a.status), "location": a.location}})
		}
	}
	return reply{status: 200, body: map[string]any{"resourceType": "Bundle", "type": "transaction-response", "entry": answers}}
}

func (f *fakeFHIR) entry(e map[string]any, known map[string]string) (a reply, full string) {
	request := e["request"].(map[string]any)
	text := func(name string) string { s, _ := request[name].(string); return s }
	path, query, _ := strings.Cut(text("url"), "?")
	full = e["fullUrl"].(string)
	content, err := json.Marshal(e["resource"])
	if err != nil {
		panic(err)
	}
	said := string(content)
	for from, to := range known {
		said = strings.ReplaceAll(said, `"reference":"`+from+`"`, `"reference":"`+to+`"`)
	}
	var resource map[string]any
	if err := json.Unmarshal([]byte(said), &resource); err != nil {
		panic(err)
	}
	return f.one(text("method"), path, query, text("ifNoneExist"), text("ifMatch"), resource), full
}
