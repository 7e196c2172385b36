/*
 * Memory is counted, and comes back: what programs took is free again when they are gone.
 *
 * On a machine of its own only: whoever else runs there changes the counts.
 */
#include "check.h"
#include "crowd.h"

#include <unistd.h>

#define PATIENCE  150 /* seconds */
#define LIVE      1000
#define SLACK_KIB 8192u /* that caches may keep */

CASE(memory_of_processes_comes_back)
{
	unsigned long before, most = ~0ul, after = 0;
	int gate[2];

	alarm(PATIENCE);
	for (int round = 0; round < 2; round++) { /* the first fills what is kept for the next */
		before = meminfo("MemFree:");
		CHECK(pipe(gate) == 0);
		CHECK(fork_waiting(LIVE, gate) == LIVE);
		most = meminfo("MemFree:");
		close(gate[0]);
		close(gate[1]);
		CHECK(wait_all() == LIVE);
		after = meminfo("MemFree:");
	}
	CHECK(before && most < before);
	CHECK(after + SLACK_KIB >= before);
}
