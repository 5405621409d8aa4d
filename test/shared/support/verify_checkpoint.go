// Verifies a checkpoint of the audit log, and proofs for it, with golang.org/x/mod/sumdb: the peer of
// audit-interop.node.test.ts. Reads JSON from standard input, and prints "verified".
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type input struct {
	Key, Note   string
	Lines       []string
	Inclusion   [][]string
	From        int64
	FromRoot    string
	Consistency []string
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func hash(text string) tlog.Hash {
	parsed, err := tlog.ParseHash(text)
	check(err)
	return parsed
}

func hashes(texts []string) []tlog.Hash {
	var parsed []tlog.Hash
	for _, text := range texts {
		parsed = append(parsed, hash(text))
	}
	return parsed
}

func main() {
	var in input
	check(json.NewDecoder(os.Stdin).Decode(&in))
	verifier, err := note.NewVerifier(in.Key)
	check(err)
	opened, err := note.Open([]byte(in.Note), note.VerifierList(verifier))
	check(err)
	parts := strings.Split(opened.Text, "\n")
	var size int64
	_, err = fmt.Sscan(parts[1], &size)
	check(err)
	root, err := base64.StdEncoding.DecodeString(parts[2])
	check(err)
	if parts[0] != verifier.Name() || size != int64(len(in.Lines)) {
		check(fmt.Errorf("other origin or size: %q", opened.Text))
	}

	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for at, line := range in.Lines {
		added, err := tlog.StoredHashes(int64(at), []byte(line), reader)
		check(err)
		stored = append(stored, added...)
	}
	computed, err := tlog.TreeHash(size, reader)
	check(err)
	if string(computed[:]) != string(root) {
		check(fmt.Errorf("other root: %v", computed))
	}
	for at, proof := range in.Inclusion {
		leaf := tlog.RecordHash([]byte(in.Lines[at]))
		check(tlog.CheckRecord(hashes(proof), size, computed, int64(at), leaf))
	}
	check(tlog.CheckTree(hashes(in.Consistency), size, computed, in.From, hash(in.FromRoot)))
	fmt.Println("verified")
}
