/* See afar.h. */
#include "afar.h"
#include "directory.h"
#include "misc.h"
#include "sched.h"
#include "signal.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <rt/rt.h>
#include <shard/shard.h>
#include <skerry/shard/process.h>
#include <stdlib.h>
#include <string.h>

#define TRIES         16u    /* a process can move while it is looked for; then look again */
#define FIRST_WAIT_NS 5000ul /* ... a while later, doubled each time: some 0.3 s in all */

bool afar_is_on;

static struct shard_net *net;

/* Calls that name a process or thread: by which argument. */
static const struct {
	u16 number;
	u8 arg;
	s32 only_arg; /* only if this argument, */
	u32 is;       /* is that; -1: always */
} naming[] = {
	{62, 0, -1, 0},  {200, 0, -1, 0}, {234, 1, -1, 0}, {129, 0, -1, 0}, {297, 1, -1, 0},
	{109, 0, -1, 0}, {121, 0, -1, 0}, {124, 0, -1, 0}, {142, 0, -1, 0}, {143, 0, -1, 0},
	{144, 0, -1, 0}, {145, 0, -1, 0}, {148, 0, -1, 0}, {203, 0, -1, 0}, {204, 0, -1, 0},
	{314, 0, -1, 0}, {315, 0, -1, 0}, {302, 0, -1, 0}, {140, 1, 0, 0},  {141, 1, 0, 0},
	{251, 1, 0, 1},  {252, 1, 0, 1},  {274, 0, -1, 0}, {310, 0, -1, 0}, {311, 0, -1, 0},
};

/* ---- stubs ---- */

struct stub {
	struct thread thread;
	struct process process;
	struct mm mm;
	struct groups *groups;
};

void who_of(const struct thread *t, struct process_who *out)
{
	const struct cred *c = &t->cred;

	*out = (struct process_who){
		.tgid = t->process->pid,
		.tid = t->tid,
		.pgrp = t->process->pgrp,
		.sid = t->process->sid,
		.uid = c->uid,
		.euid = c->euid,
		.suid = c->suid,
		.fsuid = c->fsuid,
		.gid = c->gid,
		.egid = c->egid,
		.sgid = c->sgid,
		.fsgid = c->fsgid,
		.effective = c->effective,
		.permitted = c->permitted,
		.user_ns = c->user_ns ? c->user_ns->ns.inum : 0,
		.ngroups = c->groups ? MIN(c->groups->count, SHARD_BYTES_MAX / 8) : 0,
	};
}

struct thread *stub_new(u32 core, const struct process_who *who, const u32 *groups)
{
	struct stub *s = calloc(1, sizeof(*s));
	struct thread *t;
	struct cred *c;

	if (!s)
		return NULL;
	s->groups = malloc(sizeof(*s->groups) + who->ngroups * sizeof(u32));
	if (!s->groups) {
		free(s);
		return NULL;
	}
	s->groups->refs = 1;
	s->groups->count = who->ngroups;
	memcpy(s->groups->id, groups, who->ngroups * sizeof(u32));
	s->mm.users = 1;
	s->mm.far_core = core + 1;
	s->mm.far_tid = who->tid;
	s->process.pid = who->tgid;
	s->process.pgrp = who->pgrp;
	s->process.sid = who->sid;
	s->process.home_core = core;
	s->process.mm = &s->mm;
	s->process.threads = t = &s->thread;
	t->process = &s->process;
	t->tid = who->tid;
	t->call_number = UINT64_MAX;
	t->fiber = fiber_self(sched_loop());
	c = &t->cred;
	c->uid = who->uid, c->euid = who->euid, c->suid = who->suid, c->fsuid = who->fsuid;
	c->gid = who->gid, c->egid = who->egid, c->sgid = who->sgid, c->fsgid = who->fsgid;
	c->groups = s->groups;
	c->effective = who->effective;
	c->permitted = who->permitted;
	if (who->user_ns)
		c->effective = c->permitted = 0; /* capabilities of another user namespace */
	thread_sync_vfs(t);
	return t;
}

void stub_free(struct thread *t)
{
	struct stub *s = container_of(t, struct stub, thread);

	free(s->groups);
	free(s);
}

bool afar_is_stub(const struct thread *t)
{
	return t->process->mm && t->process->mm->far_core;
}

/* ---- the caller's memory ---- */

u64 afar_copy(const struct mm *mm, void *kernel, u64 addr, u64 len, bool write)
{
	u64 done = 0;

	while (done < len) {
		struct process_user ask = {.tid = mm->far_tid,
					   .write = write,
					   .addr = addr + done,
					   .bytes = MIN(len - done, PROCESS_USER_MAX)};
		struct shard_in in[] = {{&ask, sizeof(ask)},
					{(u8 *)kernel + done, write ? (u32)ask.bytes : 0}};
		struct shard_out out = {(u8 *)kernel + done, write ? 0 : (u32)ask.bytes};
		struct shard_parts parts = {.in = in, .nin = 2, .out = &out, .nout = 1};
		s64 n = shard_call_parts(net, mm->far_core - 1u, PROCESS_USER, &parts);

		if (n <= 0 || (u64)n > ask.bytes)
			break;
		done += (u64)n;
		if ((u64)n < ask.bytes)
			break;
	}
	return done;
}

static s64 serve_user(struct shard_request *r)
{
	const struct process_user *ask = shard_args(r, sizeof(*ask));
	struct thread *t;
	void *out;

	if (!ask || ask->bytes > PROCESS_USER_MAX ||
	    (ask->write && r->bytes < sizeof(*ask) + ask->bytes) || ask->addr > MM_TOP ||
	    ask->bytes > MM_TOP - ask->addr)
		return -EBADMSG;
	t = thread_find(ask->tid);
	if (!t || !thread_mm(t))
		return -ESRCH;
	if (ask->write)
		return (s64)mm_copy(thread_mm(t), (void *)(uintptr_t)(ask + 1), ask->addr,
				    ask->bytes, true);
	out = shard_answer(r, (u32)ask->bytes);
	return out ? (s64)mm_copy(thread_mm(t), out, ask->addr, ask->bytes, false) : -ENOMEM;
}

/* ---- calls ---- */

static s64 call_there(struct thread *t, u32 core, u64 number, const u64 *a, bool alone)
{
	struct process_call call = {.number = (u32)number, .alone = alone};
	const struct groups *groups = t->cred.groups;
	struct shard_in in[] = {{&call, sizeof(call)}, {groups ? groups->id : NULL, 0}};
	struct shard_parts parts = {.in = in, .nin = 2};

	memcpy(call.args, a, sizeof(call.args));
	who_of(t, &call.who);
	in[1].bytes = call.who.ngroups * (u32)sizeof(u32);
	return shard_call_parts(net, core, PROCESS_CALL, &parts);
}

/* A signal by descriptor is one by number where the process lives. */
static u64 by_number(struct thread *t, u64 number, const u64 **a, u64 out[6])
{
	if (number != 424 || (*a)[3])
		return number;
	memset(out, 0, 6 * sizeof(*out));
	out[0] = pidfd_number(t, (int)(*a)[0]);
	out[1] = (*a)[1];
	out[2] = (*a)[2];
	*a = out;
	return out[2] ? 129 : 62;
}

static u32 named_by(u64 number, const u64 *a)
{
	for (u32 i = 0; i < ARRAY_SIZE(naming); i++) {
		if (naming[i].number != number)
			continue;
		if (naming[i].only_arg >= 0 && (u32)a[naming[i].only_arg] != naming[i].is)
			return 0;
		return (s32)a[naming[i].arg] > 0 ? (u32)a[naming[i].arg] : 0;
	}
	return 0;
}

s64 afar_retry(struct thread *t, u64 number, const u64 *a)
{
	s64 result = -ESRCH;
	u64 others[6];
	u32 named;

	if (afar_is_stub(t))
		return -ESRCH;
	number = by_number(t, number, &a, others);
	named = named_by(number, a);
	if (!named)
		return -ESRCH;
	for (u32 i = 0; i < TRIES && result == -ESRCH; i++) {
		int core = directory_where(named);

		if (core < 0)
			return -ESRCH;
		if (core == (int)process_numbers.core)
			return syscall_entry(number)->handler(t, a);
		if (i)
			rt_sleep_ns(FIRST_WAIT_NS << i);
		result = call_there(t, (u32)core, number, a, false);
		if (result == -EHOSTDOWN)
			return -ESRCH;
	}
	return result;
}

s64 afar_spread(struct thread *t, u64 number, const u64 *a, const struct core_set *cores,
		s64 result, s64 (*merge)(s64 result, s64 more))
{
	for (u32 core = 0; core < shard_cores(net); core++) {
		s64 more;

		if (core == process_numbers.core || !core_set_has(cores, core))
			continue;
		more = call_there(t, core, number, a, true);
		if (more != -EHOSTDOWN)
			result = merge(result, more);
	}
	return result;
}

void afar_all_cores(struct core_set *out)
{
	*out = (struct core_set){0};
	for (u32 core = 0; core < shard_cores(net); core++)
		out->bits[core / 64] |= (u64)shard_lives(net, core) << core % 64;
}

static bool may_be_called(const struct process_call *call)
{
	for (u32 i = 0; i < ARRAY_SIZE(naming); i++) {
		if (naming[i].number == call->number)
			return syscall_entry(call->number)->handler;
	}
	return false;
}

static s64 serve_call(struct shard_request *r)
{
	const struct process_call *call = shard_args(r, sizeof(*call));
	struct thread *t;
	s64 result;

	if (!call || call->who.ngroups > WHO_GROUPS_MAX || !may_be_called(call) ||
	    r->bytes < sizeof(*call) + call->who.ngroups * sizeof(u32))
		return -EBADMSG;
	t = stub_new(r->core, &call->who, (const u32 *)(call + 1));
	if (!t)
		return -ENOMEM;
	result = syscall_entry(call->number)->handler(t, call->args);
	stub_free(t);
	return result;
}

/* ---- signals of the system ---- */

static void signal_members(void *arg)
{
	struct process_signal *m = arg;
	struct core_set cores;

	if (directory_members(m->pgrp, NUMBER_GROUP, &cores) == 0) {
		for (u32 core = 0; core < shard_cores(net); core++) {
			if (core != process_numbers.core && core_set_has(&cores, core))
				shard_tell(net, core, PROCESS_SIGNAL, m, sizeof(*m));
		}
	}
	free(m);
}

void afar_signal_group(u32 pgrp, const struct k_siginfo *info)
{
	struct process_signal *m = malloc(sizeof(*m));

	if (!m)
		return;
	*m = (struct process_signal){.pgrp = pgrp, .signo = info->signo, .code = info->code};
	if (rt_fiber_start(signal_members, m))
		free(m);
}

static s64 serve_signal(struct shard_request *r)
{
	const struct process_signal *m = shard_args(r, sizeof(*m));
	struct k_siginfo info;

	if (!m || m->signo <= 0 || m->signo > (s32)SIGNALS)
		return -EBADMSG;
	info = (struct k_siginfo){.signo = m->signo, .code = m->code};
	return signal_group_here(m->pgrp, &info);
}

/* ---- the end of a process ---- */

s64 afar_await_end(u32 pid)
{
	struct process_number ask = {.number = pid};
	int core = directory_where(pid);
	s64 result;

	if (core < 0)
		return -ESRCH;
	if (core == (int)process_numbers.core)
		return -EAGAIN;
	result = shard_call(net, (u32)core, PROCESS_AWAIT, &ask, sizeof(ask), NULL, 0, NULL);
	return result == -EHOSTDOWN ? -ESRCH : result;
}

static s64 serve_await(struct shard_request *r)
{
	const struct process_number *ask = shard_args(r, sizeof(*ask));
	u32 pid;

	if (!ask)
		return -EBADMSG;
	pid = ask->number;
	for (;;) {
		const struct process *p = process_find(pid);
		bool stays = p || process_is_elsewhere(pid); /* for a moment */
		int core;

		if (p && p->zombie)
			return 0;
		if (stays && fiber_wait(sched_loop(), &process_ends, FIBER_FOREVER) == -EINTR)
			return -EAGAIN;
		if (stays)
			continue;
		core = directory_where(pid);
		return core >= 0 && core != (int)process_numbers.core ? -EAGAIN : -ESRCH;
	}
}

/* ---- jobs ---- */

/* Whether another core with members of the group answers @result to @op. */
static bool answered(u16 op, u32 pgrp, u32 sid, s64 result)
{
	struct process_group ask = {pgrp, sid};
	struct core_set cores;

	if (directory_members(pgrp, NUMBER_GROUP, &cores))
		return false;
	for (u32 core = 0; core < shard_cores(net); core++) {
		if (core != process_numbers.core && core_set_has(&cores, core) &&
		    shard_call(net, core, op, &ask, sizeof(ask), NULL, 0, NULL) == result)
			return true;
	}
	return false;
}

bool afar_group_is_orphaned(u32 pgrp, u32 sid)
{
	return !answered(PROCESS_ORPHANED, pgrp, sid, 0);
}

bool afar_group_in_session(u32 pgrp, u32 sid)
{
	return answered(PROCESS_IN_GROUP, pgrp, sid, 1);
}

static s64 serve_orphaned(struct shard_request *r)
{
	const struct process_group *ask = shard_args(r, sizeof(*ask));

	return ask ? signal_group_is_orphaned_here(ask->pgrp, ask->sid) : -EBADMSG;
}

static s64 serve_in_group(struct shard_request *r)
{
	const struct process_group *ask = shard_args(r, sizeof(*ask));

	return ask ? process_group_in_session(ask->pgrp, ask->sid) : -EBADMSG;
}

int afar_init(struct shard_net *with)
{
	int err;

	net = with;
	err = shard_serve(net, PROCESS_CALL, serve_call, NULL);
	if (!err)
		err = shard_serve(net, PROCESS_USER, serve_user, NULL);
	if (!err)
		err = shard_serve(net, PROCESS_SIGNAL, serve_signal, NULL);
	if (!err)
		err = shard_serve(net, PROCESS_AWAIT, serve_await, NULL);
	if (!err)
		err = shard_serve(net, PROCESS_ORPHANED, serve_orphaned, NULL);
	if (!err)
		err = shard_serve(net, PROCESS_IN_GROUP, serve_in_group, NULL);
	afar_is_on = !err;
	return err;
}
