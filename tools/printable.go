// Prints base/printable.def: the ranges of code points that Go's
// strconv.IsPrint accepts, six a line.
//
//	go run tools/printable.go >base/printable.def
package main

import (
	"fmt"
	"strconv"
	"unicode"
)

func main() {
	fmt.Printf("/* Printable code points of Unicode %s, from tools/printable.go. */\n", unicode.Version)
	column, start := 0, rune(-1)
	for r := rune(0); r <= unicode.MaxRune+1; r++ {
		print := r <= unicode.MaxRune && strconv.IsPrint(r)
		if print && start < 0 {
			start = r
		}
		if !print && start >= 0 {
			if column++; column%4 == 0 {
				fmt.Printf("{ 0x%x, 0x%x },\n", start, r-1)
			} else {
				fmt.Printf("{ 0x%x, 0x%x }, ", start, r-1)
			}
			start = -1
		}
	}
	fmt.Println()
}
