package fhir_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spreekkamer/spreekkamer/his/fhir"
)

func binary(size int64, open func() (io.ReadCloser, error)) fhir.Bundle {
	return fhir.Bundle{
		Identifier: fhir.Identifier{System: fhir.SystemURI, Value: "urn:uuid:1"},
		Timestamp:  fhir.Instant(time.UnixMilli(0)),
		Entry: []fhir.Entry{
			{FullURL: "urn:uuid:2", Resource: fhir.Organization{ResourceType: "Organization", Name: `"<&>`}, Request: fhir.Request{Method: "POST", URL: "Organization"}},
			{FullURL: "urn:uuid:3", Resource: fhir.Binary{ID: "b", ContentType: "a/b", Size: size, Open: open}, Request: fhir.Request{Method: "PUT", URL: "Binary/b"}},
		},
	}
}

func reading(r io.Reader) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(r), nil }
}

func TestABundleIsWrittenAsItIs(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, binary(5, reading(strings.NewReader("bytes"))).Write(&out))
	assert.Equal(t, `{"resourceType":"Bundle","identifier":{"system":"urn:ietf:rfc:3986","value":"urn:uuid:1"},"type":"transaction","timestamp":"1970-01-01T00:00:00.000Z","entry":[
{"fullUrl":"urn:uuid:2","resource":{"resourceType":"Organization","identifier":null,"name":"\"<&>"},"request":{"method":"POST","url":"Organization"}},
{"fullUrl":"urn:uuid:3","resource":{"resourceType":"Binary","id":"b","contentType":"a/b","data":"Ynl0ZXM="},"request":{"method":"PUT","url":"Binary/b"}}
]}
`, out.String())
	assert.True(t, json.Valid(out.Bytes()))
}

func TestABinaryWithoutBytesHasNoData(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, binary(0, nil).Write(&out))
	assert.NotContains(t, out.String(), `"data"`)
	assert.True(t, json.Valid(out.Bytes()))
}

func TestWritingEndsWithTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name string
		open func() (io.ReadCloser, error)
		want string
	}{
		{"data that cannot be opened", func() (io.ReadCloser, error) { return nil, broken }, "broken"},
		{"data that breaks off with an error", reading(io.MultiReader(strings.NewReader("by"), failing{broken})), "broken"},
		{"too few bytes", reading(strings.NewReader("byte")), "the data is not the 5 bytes that were announced"},
		{"too many bytes", reading(strings.NewReader("bytes!")), "the data is not the 5 bytes that were announced"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.EqualError(t, binary(5, tt.open).Write(io.Discard), "entry Binary urn:uuid:3: "+tt.want)
		})
	}
}

func TestADiskThatIsFullAtAnyByteIsAnError(t *testing.T) {
	var whole bytes.Buffer
	require.NoError(t, binary(5, reading(strings.NewReader("bytes"))).Write(&whole))
	full := errors.New("full")
	for room := range whole.Len() {
		err := binary(5, reading(strings.NewReader("bytes"))).Write(&disk{room, full})
		assert.ErrorIs(t, err, full, "room for %d bytes", room)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// disk takes so many bytes and no more.
type disk struct {
	room int
	err  error
}

func (d *disk) Write(p []byte) (int, error) {
	if len(p) > d.room {
		return 0, d.err
	}
	d.room -= len(p)
	return len(p), nil
}

// What is announced to a server is what is sent.
func TestTheSizeIsKnownBeforehand(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    fhir.Bundle
	}{
		{"with a Binary", binary(5, reading(strings.NewReader("bytes")))},
		{"with an empty Binary", binary(0, nil)},
		{"with data inline", inline(5, reading(strings.NewReader("bytes")))},
		{"with no data inline", inline(0, nil)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			size, err := tt.b.Size()
			require.NoError(t, err)
			var out bytes.Buffer
			require.NoError(t, tt.b.Write(&out))
			assert.Equal(t, int64(out.Len()), size)
			assert.True(t, json.Valid(out.Bytes()))
		})
	}
}

func inline(size int64, open func() (io.ReadCloser, error)) fhir.Bundle {
	b := binary(size, open)
	b.Entry[1].Meta = &fhir.Meta{Profile: []string{"http://example.org/p"}, Tag: []fhir.Coding{{System: "http://example.org/s", Code: "t"}}}
	b.Entry[1].Resource = fhir.Inline{
		DocumentReference: fhir.DocumentReference{
			ResourceType: "DocumentReference", Status: "current",
			Content: []fhir.DocumentContent{{Attachment: fhir.Attachment{ContentType: "a/b", Size: size}}},
		},
		Data: fhir.Binary{Size: size, Open: open},
	}
	return b
}

func TestDataInlineStandsWhereTheAddressWouldBe(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, inline(5, reading(strings.NewReader("bytes"))).Entry[1].WriteResource(&out))
	assert.Equal(t, `{"resourceType":"DocumentReference","meta":{"profile":["http://example.org/p"],"tag":[{"system":"http://example.org/s","code":"t"}]},`+
		`"identifier":null,"status":"current","content":[{"attachment":{"contentType":"a/b","data":"Ynl0ZXM=","size":5}}]}`, out.String())
}
