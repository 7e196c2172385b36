/*
 * Process groups whose members are on different cores: joined, set by a parent, signalled.
 */
#include "check.h"
#include "cores.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct member {
	pid_t group; /* to be joined; 0: a new one */
	int up, hear,
		leave; /* pipes: written when it is there, and heard; closed when it may end */
};

static int join_group(void *arg)
{
	const struct member *m = arg;
	char c = 0;

	MUST(setpgid(0, m->group) == 0);
	MUST(getpgrp() == (m->group ? m->group : getpid()));
	MUST(write(m->up, &c, 1) == 1);
	MUST(read(m->leave, &c, 1) == 0);
	return 0;
}

static int only_wait(void *arg)
{
	const struct member *m = arg;
	char c = 0;

	MUST(write(m->up, &c, 1) == 1);
	MUST(read(m->leave, &c, 1) == 0);
	return getpgrp() == m->group || !m->group ? 0 : 1;
}

/* A child on core @n; the end that keeps it waiting is not inherited by it. */
static pid_t member_on(int n, struct member *m, int (*fn)(void *), int keep)
{
	pid_t child = fork();
	char c;

	CHECK(child >= 0);
	if (!child) {
		close(keep);
		to_core(n);
		_exit(fn(m));
	}
	CHECK(read(m->hear, &c, 1) == 1);
	return child;
}

/* Returns the end that keeps members waiting. */
static int make_pipes(struct member *m)
{
	int up[2], leave[2];

	CHECK(pipe(up) == 0 && pipe(leave) == 0);
	*m = (struct member){.up = up[1], .hear = up[0], .leave = leave[0]};
	return leave[1];
}

CASE(a_group_is_joined_whose_leader_is_on_another_core)
{
	struct member m;
	int keep = make_pipes(&m);
	pid_t leader = member_on(1, &m, join_group, keep), member;

	m.group = leader;
	member = member_on(2, &m, join_group, keep);
	CHECK(getpgid(leader) == leader && getpgid(member) == leader);
	close(keep);
	CHECK(end_of(leader) == 0 && end_of(member) == 0);
	CHECK_ERROR(setpgid(0, leader), EPERM);
}

CASE(a_parent_sets_the_group_of_children_on_other_cores)
{
	struct member m;
	int keep = make_pipes(&m);
	pid_t leader = member_on(1, &m, only_wait, keep), member;

	CHECK(setpgid(leader, leader) == 0);
	m.group = leader;
	member = member_on(2, &m, only_wait, keep);
	CHECK(setpgid(member, leader) == 0);
	CHECK(getpgid(leader) == leader && getpgid(member) == leader);
	CHECK_ERROR(setpgid(member, 1), EPERM);
	close(keep);
	CHECK(end_of(leader) == 0 && end_of(member) == 0);
	CHECK_ERROR(setpgid(leader, leader), ESRCH);
}

CASE(a_signal_to_a_group_reaches_all_cores_and_a_wait_for_it_all_members)
{
	struct member m;
	int keep = make_pipes(&m), status;
	pid_t leader = member_on(3, &m, join_group, keep), member[2];

	m.group = leader;
	member[0] = member_on(1, &m, join_group, keep);
	member[1] = member_on(2, &m, join_group, keep);
	CHECK(kill(-leader, SIGTERM) == 0);
	for (int i = 0; i < 3; i++) {
		pid_t got = waitpid(-leader, &status, 0);

		CHECK(got == leader || got == member[0] || got == member[1]);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	}
	CHECK_ERROR(waitpid(-leader, &status, 0), ECHILD);
	close(keep);
}
