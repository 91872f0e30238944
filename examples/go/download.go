// Package download is the program under test: it downloads a file, and tries again while the server is unavailable.
package download

import (
	"fmt"
	"io"
	"net/http"
)

// Get returns the content of a file after up to three attempts.
func Get(url, username, password string) ([]byte, error) {
	for attempt := 1; ; attempt++ {
		content, status, err := get(url, username, password)
		if err != nil {
			return nil, err
		}
		if status == http.StatusOK {
			return content, nil
		}
		if status != http.StatusServiceUnavailable || attempt == 3 {
			return nil, fmt.Errorf("%s: %d", url, status)
		}
	}
}

func get(url, username, password string) ([]byte, int, error) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, 0, err
	}
	request.SetBasicAuth(username, password)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return content, response.StatusCode, err
}
