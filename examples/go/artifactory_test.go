package download

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// artifactory is the server for tests, as a process.
type artifactory struct {
	URL          string `json:"url"`
	Username     string `json:"username"`
	Password     string `json:"password"`
	ControlURL   string `json:"control_url"`
	ControlToken string `json:"control_token"`

	command *exec.Cmd
}

// startArtifactory starts the server, and returns once it listens.
func startArtifactory(options ...string) (*artifactory, error) {
	words := append([]string{"serve", "--port", "0", "--control", "--format", "json"}, options...)
	server := &artifactory{command: exec.Command("aioartifact", words...)}
	server.command.Stderr = os.Stderr
	output, err := server.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := server.command.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(output).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, server)
	}
	if err != nil {
		server.stop()
		return nil, fmt.Errorf("aioartifact serve: %w", err)
	}
	return server, nil
}

func (server *artifactory) stop() {
	server.command.Process.Signal(syscall.SIGTERM)
	server.command.Wait()
}

// control makes one call, and decodes the response into answer unless that is nil.
func (server *artifactory) control(method, call, body string, answer any) error {
	request, err := http.NewRequest(method, server.ControlURL+"/"+call, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+server.ControlToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 400 {
		return fmt.Errorf("%s %s: %d %s", method, call, response.StatusCode, content)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(content, answer)
}
