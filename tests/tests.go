// Package tests holds the suites that cross the packages of kansu: every
// function on a device against the oracle, conformance with cases that others
// wrote, whole models, fuzzing, and misuse.
package tests
