package download

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

var server *artifactory

func TestMain(m *testing.M) {
	var err error
	if server, err = startArtifactory(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	server.stop()
	os.Exit(code)
}

func call(t *testing.T, method, path, body string, answer any) {
	t.Helper()
	if err := server.control(method, path, body, answer); err != nil {
		t.Fatal(err)
	}
}

func TestFileIsDownloadedAgainWhileTheServerIsUnavailable(t *testing.T) {
	call(t, "POST", "reset", "", nil)
	call(t, "PUT", "items/generic-local/tool.bin", "content", nil)
	call(t, "POST", "faults", `{"path": "**/tool.bin", "times": 2, "fault": {"status": {"status": 503}}}`, nil)
	content, err := Get(server.URL+"/generic-local/tool.bin", server.Username, server.Password)
	if err != nil || string(content) != "content" {
		t.Fatalf("got %q, %v", content, err)
	}
	var log struct{ Requests []struct{ Status int } }
	call(t, "GET", "requests", "", &log)
	if got := fmt.Sprint(log.Requests); got != "[{503} {503} {200}]" {
		t.Fatal(got)
	}
}

func TestMissingFileIsRequestedOnce(t *testing.T) {
	call(t, "POST", "reset", "", nil)
	_, err := Get(server.URL+"/generic-local/tool.bin", server.Username, server.Password)
	if err == nil || !strings.Contains(err.Error(), "404") {
		t.Fatal(err)
	}
	var counts struct{ Total int }
	call(t, "GET", "counts", "", &counts)
	if counts.Total != 1 {
		t.Fatal(counts.Total)
	}
}

func TestMistakeIsExplained(t *testing.T) {
	err := server.control("POST", "faults", `{"fault": "boom"}`, nil)
	if err == nil || !strings.Contains(err.Error(), "400 {\"error\": \"no fault 'boom'") {
		t.Fatal(err)
	}
}
