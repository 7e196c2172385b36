/* See procfar.h. */
#include "procfar.h"
#include "afar.h"
#include "directory.h"

#include <errno.h>
#include <rt/clock.h>
#include <shard/shard.h>
#include <skerry/shard/process.h>
#include <stdlib.h>
#include <string.h>

#define LISTED_MAX (SHARD_BYTES_MAX / sizeof(u32)) /* numbers in one answer */
#define LIST_NS    20000000ul /* as long as a listing is good for those who read on */
#define SHADOWS    16u

static struct shard_net *net;
static struct vfs *files;

/* ---- lists of numbers ---- */

/* All processes, as they were when somebody began to list them. */
static struct {
	u32 *pids;
	u32 count, room;
	u64 made_ns;
} listing;

static int compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static bool list_add(const u32 *pids, u32 n)
{
	if (listing.count + n > listing.room) {
		u32 room = (listing.count + n) * 2;
		u32 *all = realloc(listing.pids, room * sizeof(u32));

		if (!all)
			return false;
		listing.pids = all;
		listing.room = room;
	}
	memcpy(listing.pids + listing.count, pids, n * sizeof(u32));
	listing.count += n;
	return true;
}

static void list_core(u32 core, u32 *room)
{
	struct process_number ask = {0};
	u32 got;

	/* A core with more than fit in an answer is asked again, from the last one on. */
	do {
		if (shard_call(net, core, PROCESS_LIST, &ask, sizeof(ask), room,
			       LISTED_MAX * sizeof(u32), &got) < 0 ||
		    !list_add(room, got / sizeof(u32)) || !got)
			return;
		ask.number = room[got / sizeof(u32) - 1] + 1;
	} while (got == LISTED_MAX * sizeof(u32));
}

static void list_all(void)
{
	u32 *room = malloc(LISTED_MAX * sizeof(u32));

	listing.count = 0;
	for (u32 core = 0; room && core < shard_cores(net); core++) {
		if (core != process_numbers.core && shard_lives(net, core))
			list_core(core, room);
	}
	for (const struct process *p = process_from(0); p; p = p->list_next)
		list_add(&p->pid, 1);
	free(room);
	qsort(listing.pids, listing.count, sizeof(u32), compare);
	listing.made_ns = clock_now_ns();
}

u32 procfar_next_pid(u32 from)
{
	u32 low = 0, high;

	if (from <= 1 || clock_now_ns() - listing.made_ns > LIST_NS)
		list_all();
	high = listing.count;
	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (listing.pids[middle] < from)
			low = middle + 1;
		else
			high = middle;
	}
	return low < listing.count ? listing.pids[low] : 0;
}

u32 procfar_next_tid(u32 pid, u32 from)
{
	struct process_number ask = {.number = from, .core = pid, .use = NUMBER_TASK + 1};
	int core = directory_where(pid);
	u32 tids[64], got = 0;

	if (core < 0 || core == (int)process_numbers.core ||
	    shard_call(net, (u32)core, PROCESS_LIST, &ask, sizeof(ask), tids, sizeof(tids), &got) <
		    0)
		return 0;
	return got ? tids[0] : 0;
}

static u32 threads_from(const struct process *p, u32 from, u32 *out, u32 room)
{
	u32 n = 0;

	for (const struct thread *t = p ? p->threads : NULL; t && n < room; t = t->next) {
		if (t->tid >= from)
			out[n++] = t->tid;
	}
	qsort(out, n, sizeof(u32), compare);
	return n;
}

static s64 serve_list(struct shard_request *r)
{
	const struct process_number *ask = shard_args(r, sizeof(*ask));
	u32 room = r->room / (u32)sizeof(u32), n = 0, *out;

	if (!ask)
		return -EBADMSG;
	out = shard_answer(r, room * (u32)sizeof(u32));
	if (!out)
		return -ENOMEM;
	if (ask->use) {
		n = threads_from(process_find(ask->core), ask->number, out, room);
	} else {
		for (const struct process *p = process_from(ask->number); p && n < room;
		     p = p->list_next)
			out[n++] = p->pid;
	}
	shard_answer(r, n * (u32)sizeof(u32));
	return 0;
}

/* ---- what is known of one ---- */

static struct vfs_task shadows[SHADOWS];
static u32 next_shadow;

struct vfs_task *procfar_task(u32 pid)
{
	struct vfs_task *task = &shadows[next_shadow++ % SHADOWS];
	struct process_number ask = {.number = pid};
	int core = directory_where(pid);
	struct process_who who;

	if (core < 0 || core == (int)process_numbers.core ||
	    shard_call(net, (u32)core, PROCESS_INFO, &ask, sizeof(ask), &who, sizeof(who), NULL) <
		    0)
		return NULL;
	*task = (struct vfs_task){
		.vfs = files,
		.tgid = who.tgid,
		.tid = who.tid,
		.pgrp = who.pgrp,
		.sid = who.sid,
		.cred = {.fsuid = who.fsuid,
			 .fsgid = who.fsgid,
			 .uid = who.uid,
			 .gid = who.gid,
			 .euid = who.euid,
			 .egid = who.egid,
			 .caps = who.effective,
			 .permitted = who.permitted},
	};
	return task;
}

static s64 serve_info(struct shard_request *r)
{
	const struct process_number *ask = shard_args(r, sizeof(*ask));
	const struct process *p;
	struct process_who *out;

	if (!ask)
		return -EBADMSG;
	p = process_find(ask->number);
	if (!p || !p->threads)
		return -ESRCH;
	out = shard_answer(r, sizeof(*out));
	if (!out)
		return -ENOMEM;
	who_of(p->threads, out);
	return 0;
}

bool procfar_is_far(void *arg, u32 pid)
{
	(void)arg;
	return afar_is_on && !process_find(pid) && !thread_find(pid);
}

/* ---- files ---- */

static int begin(struct vfs_task *task, u32 pid, const char *path, bool store,
		 struct process_file *ask)
{
	const struct thread *t = container_of(task, struct thread, vfs);
	int core = directory_where(pid);

	if (core < 0 || core == (int)process_numbers.core)
		return -ESRCH;
	*ask = (struct process_file){.pid = pid, .store = store};
	if (strlen(path) >= sizeof(ask->name))
		return -ENOENT;
	strcpy(ask->name, path);
	who_of(t, &ask->who);
	return core;
}

int procfar_show(void *arg, struct vfs_task *reader, u32 pid, const char *path, struct text *out)
{
	struct process_file ask;
	int core = begin(reader, pid, path, false, &ask);
	const struct groups *groups;
	struct shard_in in[2];
	struct shard_out answer;
	struct shard_parts parts = {.in = in, .out = &answer, .nin = 2, .nout = 1};
	s64 result;

	(void)arg;
	if (core < 0)
		return core;
	groups = container_of(reader, struct thread, vfs)->cred.groups;
	in[0] = (struct shard_in){&ask, sizeof(ask)};
	in[1] = (struct shard_in){groups ? groups->id : NULL, ask.who.ngroups * (u32)sizeof(u32)};
	answer = (struct shard_out){malloc(SHARD_BYTES_MAX), SHARD_BYTES_MAX};
	if (!answer.at)
		return -ENOMEM;
	result = shard_call_parts(net, (u32)core, PROCESS_FILE, &parts);
	if (!result)
		text_put(out, answer.at, parts.got);
	free(answer.at);
	return result == -EHOSTDOWN ? -ESRCH : (int)result;
}

int procfar_store(void *arg, struct vfs_task *writer, u32 pid, const char *path, const char *text,
		  size_t len)
{
	struct process_file ask;
	int core = begin(writer, pid, path, true, &ask);
	struct shard_in in[2] = {{&ask, sizeof(ask)}, {text, (u32)len}};
	struct shard_parts parts = {.in = in, .nin = 2};

	(void)arg;
	if (core < 0)
		return core;
	ask.who.ngroups = 0;
	return (int)shard_call_parts(net, (u32)core, PROCESS_FILE, &parts);
}

static int store_here(struct thread *t, const struct process_file *ask, const char *text,
		      size_t len)
{
	char *copy = malloc(len + 1);
	int err;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, len);
	copy[len] = 0;
	err = procfs_store(files, &t->vfs, ask->pid, ask->name, copy, len);
	free(copy);
	return err;
}

static int show_here(struct shard_request *r, struct thread *t, const struct process_file *ask)
{
	struct text text = {0};
	int err = procfs_show(files, &t->vfs, ask->pid, ask->name, &text);
	void *out;

	if (!err)
		err = text_error(&text);
	if (!err) {
		u32 n = (u32)MIN(text.len, r->room);

		out = shard_answer(r, n);
		if (out)
			memcpy(out, text.at, n);
		else
			err = -ENOMEM;
	}
	text_free(&text);
	return err;
}

static s64 serve_file(struct shard_request *r)
{
	const struct process_file *ask = shard_args(r, sizeof(*ask));
	const struct thread *of;
	struct process *p;
	struct thread *t;
	int err;

	if (!ask || ask->who.ngroups > WHO_GROUPS_MAX || ask->name[sizeof(ask->name) - 1] ||
	    (!ask->store && r->bytes < sizeof(*ask) + ask->who.ngroups * sizeof(u32)) ||
	    (ask->store && ask->who.ngroups))
		return -EBADMSG;
	p = process_find(ask->pid);
	of = p ? p->threads : thread_find(ask->pid);
	if (!of)
		return -ESRCH;
	t = stub_new(r->core, &ask->who, (const u32 *)(ask + 1));
	if (!t)
		return -ENOMEM;
	t->vfs.vfs = files;
	t->vfs.fs = of->vfs.fs; /* links are told as the process sees them */
	if (ask->store)
		err = store_here(t, ask, (const char *)(ask + 1), r->bytes - sizeof(*ask));
	else
		err = show_here(r, t, ask);
	stub_free(t);
	return err;
}

int procfar_init(struct vfs *vfs, struct shard_net *with)
{
	int err;

	net = with;
	files = vfs;
	err = shard_serve(net, PROCESS_LIST, serve_list, NULL);
	if (!err)
		err = shard_serve(net, PROCESS_INFO, serve_info, NULL);
	if (!err)
		err = shard_serve(net, PROCESS_FILE, serve_file, NULL);
	return err;
}
