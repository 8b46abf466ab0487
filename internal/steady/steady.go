// Package steady tells a leak from growth by chance.
package steady

import "testing"

// rounds is how often growth is looked at again before it is called a leak.
const rounds = 6

// Require fails a test in which memory leaks. Each call of round does the same
// work once more and returns what is then held, in bytes. A leak makes every
// round grow, but a round may grow without one: the runtime starts threads and
// keeps their descriptors, a pool comes to the most that was ever in use at a
// time, pages are counted once they are touched. All that comes to an end, so one
// round that grows by no more than slack is enough, and the work of a round has
// to be so much that a leak would exceed slack.
func Require(t testing.TB, what string, slack int64, round func() int64) {
	t.Helper()
	before := round()
	var grown []int64
	for range rounds {
		after := round()
		if grown = append(grown, after-before); after-before <= slack {
			t.Logf("%s: %d bytes, the last round's growth %d", what, after, after-before)
			return
		}
		before = after
	}
	t.Errorf("%s grow with every round, by %d bytes, with %d allowed", what, grown, slack)
}
