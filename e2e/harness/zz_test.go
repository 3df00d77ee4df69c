package harness
import ("testing";"time";"net/http";"net/url";"strings";"os/exec")
func TestZZ(t *testing.T) {
	for _, ttl := range []string{"1m","5s","1s"} {
		t.Run(ttl, func(t *testing.T) {
			t.Parallel()
	h := start(t, Options{Kind: Synapse})
	h.Stop()
	out, err := exec.Command("sed","-i",`s/"cache_entry_ttl": "1m"/"cache_entry_ttl": "`+ttl+`"/`, h.Dir+"/homeserver.yaml").CombinedOutput()
	t.Logf("%s %v", out, err)
	must(t, h.Start(t.Context()))
	tok, err := h.AdminToken(t.Context())
	must(t, err)
	a := newUser(t, h, "anna")
	room := a.createRoom(t)
	ev := a.say(t, room, "1", "kanariepiet")
	a.do(t, http.MethodPut, room+"/redact/"+url.PathEscape(ev)+"/r1", map[string]any{}, nil)
	b := time.Now()
	must(t, h.WaitGone(t.Context(), "kanariepiet"))
	t.Log("files clean", time.Since(b))
	for {
		var got map[string]any
		must(t, h.request(t.Context(), http.MethodGet, "/_synapse/admin/v1/fetch_event/"+url.PathEscape(ev), tok, nil, &got))
		c := got["event"].(map[string]any)["content"].(map[string]any)
		body, _ := c["body"].(string)
		if !strings.Contains(body, "kanarie") { t.Log("fetch_event honest after", time.Since(b)); break }
		if time.Since(b) > 3*time.Minute { t.Log("still there", got); break }
		time.Sleep(200*time.Millisecond)
	}
	})}
}
