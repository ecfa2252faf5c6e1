// What test pods run: one static program, as an image of the tests has no libraries.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: probe serve PORT [FOLDER] | get URL | lookup NAME | write FILE TEXT | read FILE | eat MEBIBYTES | id")
	}
	switch word := os.Args[1]; word {
	case "serve":
		serve(os.Args[2:])
	case "get":
		get(os.Args[2])
	case "lookup":
		addresses, err := net.LookupHost(os.Args[2])
		check(err)
		fmt.Println(addresses)
	case "write":
		check(os.WriteFile(os.Args[2], []byte(os.Args[3]), 0o600))
	case "read":
		content, err := os.ReadFile(os.Args[2])
		check(err)
		fmt.Println(string(content))
	case "eat":
		eat(os.Args[2])
	case "id":
		fmt.Println(os.Getuid(), os.Getgid())
	default:
		fail("no such word: " + word)
	}
}

// serve answers with the host's name, and with what is in a folder under /files/, until it is asked to end.
func serve(words []string) {
	name, err := os.Hostname()
	check(err)
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, name) })
	if len(words) > 1 {
		http.Handle("/files/", http.StripPrefix("/files/", http.FileServer(http.Dir(words[1]))))
	}
	go func() { check(http.ListenAndServe(":"+words[0], nil)) }()
	fmt.Println("serving", words[0])
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	<-signals
	fmt.Println("asked to end")
}

func get(address string) {
	client := http.Client{Timeout: 3 * time.Second}
	answer, err := client.Get(address)
	check(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	check(err)
	fmt.Print(string(body))
	if answer.StatusCode != http.StatusOK {
		os.Exit(1)
	}
}

func eat(mebibytes string) {
	number, err := strconv.Atoi(mebibytes)
	check(err)
	eaten := make([][]byte, 0, number)
	for range number {
		piece := make([]byte, 1<<20)
		for place := range piece {
			piece[place] = byte(place)
		}
		eaten = append(eaten, piece)
	}
	fmt.Println("ate", len(eaten))
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}
