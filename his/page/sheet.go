package page

import (
	_ "embed"
	"html/template"
)

//go:embed sheet.html
var text string

var sheet = template.Must(template.New("sheet").Parse(text))
