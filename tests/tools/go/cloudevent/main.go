// Reads one Kafka record from standard input, as JSON {"headers": {name: text}, "value": text}, with the CloudEvents
// SDK for Go, and prints the event in the JSON format of CloudEvents. Exit 1, with the reason, if the SDK refuses it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	kafka "github.com/cloudevents/sdk-go/protocol/kafka_sarama/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
)

type record struct {
	Headers map[string]string `json:"headers"`
	Value   string            `json:"value"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var read record
	if err := json.NewDecoder(os.Stdin).Decode(&read); err != nil {
		return err
	}
	headers := map[string][]byte{}
	for name, value := range read.Headers {
		headers[name] = []byte(value)
	}
	message := kafka.NewMessage([]byte(read.Value), read.Headers["content-type"], headers)
	event, err := binding.ToEvent(context.Background(), message)
	if err != nil {
		return err
	}
	if err := event.Validate(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(event)
}
