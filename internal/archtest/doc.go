// Package archtest holds the tests that keep the shape of the source: who may
// import whom, how pure the core is, how large files and functions get, and
// that the documents name only things that exist. It has no code of its own.
//
// The tests read the source files themselves, whatever their build tags, so
// they also work while some package does not compile. Each failure gives the
// reason of the rule; to change a rule, change its row here and write an ADR.
package archtest
