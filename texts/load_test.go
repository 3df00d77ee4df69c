package texts
import "testing"
func TestTextsLoad(t *testing.T) { if _, err := Load(); err != nil { t.Fatal(err) } }
