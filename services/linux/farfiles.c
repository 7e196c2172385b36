/* See farfiles.h. */
#include "farfiles.h"
#include "afar.h"
#include "directory.h"
#include "farpage.h"
#include "sched.h"
#include "signal.h"

#include <errno.h>
#include <shard/shard.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/far_file.h>
#include <vfs/tty.h>

/* Terminals are where the console is. */
#define DEVICES 0u

static struct shard_net *net;
static struct vfs *files;

/* ---- who asks ---- */

static struct thread *thread_of(const struct vfs_task *task)
{
	return container_of(task, struct thread, vfs);
}

static u32 ignored_by(const struct thread *t)
{
	u32 set = (u32)(t->sigmask << 1);

	for (int sig = 1; sig < 32; sig++) {
		if (t->process->sighand->action[sig - 1].handler == SIG_IGN)
			set |= 1u << sig;
	}
	return set;
}

static u32 say_who(void *arg, const struct vfs_task *task, void *out, u32 room)
{
	struct file_who *w = out;
	const struct thread *t = task ? thread_of(task) : NULL;
	u32 groups;

	(void)arg;
	*w = (struct file_who){.fsize_limit = UINT64_MAX};
	if (!t)
		return sizeof(*w);
	who_of(t, &w->who);
	groups = (room - (u32)sizeof(*w)) / (u32)sizeof(u32);
	w->who.ngroups = MIN(w->who.ngroups, groups);
	if (w->who.ngroups)
		memcpy(w + 1, t->cred.groups->id, w->who.ngroups * sizeof(u32));
	w->fsize_limit = task->fsize_limit;
	w->ctty = task->ctty ? tty_dev(task->ctty) : 0;
	w->ignores = afar_is_stub(t) ? 0 : ignored_by(t);
	return (u32)(sizeof(*w) + w->who.ngroups * sizeof(u32));
}

static struct vfs_task *task_begin(void *arg, u32 core, const void *who, u32 bytes)
{
	const struct file_who *w = who;
	struct thread *t;

	(void)arg;
	if (bytes < sizeof(*w) || w->who.ngroups > (bytes - sizeof(*w)) / sizeof(u32))
		return NULL;
	t = stub_new(core, &w->who, (const u32 *)(w + 1));
	if (!t)
		return NULL;
	t->vfs.vfs = files;
	t->vfs.fsize_limit = w->fsize_limit;
	t->vfs.nofile_limit = 1024;
	t->vfs.ctty = tty_of_dev(files, w->ctty);
	t->sigmask = w->ignores >> 1;
	return &t->vfs;
}

static void task_end(void *arg, struct vfs_task *task)
{
	(void)arg;
	stub_free(thread_of(task));
}

bool farfiles_ignores(const struct thread *stub, int signo)
{
	return stub->sigmask >> (signo - 1) & 1;
}

/* ---- signals and sessions ---- */

void farfiles_signal(const struct thread *stub, int signo)
{
	struct file_signal m = {.tid = stub->tid, .signo = signo};

	shard_tell(net, stub->process->home_core, FILES_SIGNAL, &m, sizeof(m));
}

static s64 serve_signal(struct shard_request *r)
{
	const struct file_signal *m = shard_args(r, sizeof(*m));
	struct thread *t;

	if (!m || m->signo <= 0 || m->signo > (s32)SIGNALS)
		return -EBADMSG;
	t = thread_find(m->tid);
	if (t)
		signal_thread(t, &(struct k_siginfo){.signo = m->signo, .code = SI_KERNEL});
	return 0;
}

/* Tell all other cores. */
static void tell_all(u16 op, const void *message, u32 bytes)
{
	for (u32 core = 0; net && core < shard_cores(net); core++) {
		if (core != shard_self(net) && shard_lives(net, core))
			shard_tell(net, core, op, message, bytes);
	}
}

void farfiles_tell_session(u32 sid, const struct tty *tty)
{
	struct file_tty taken = {.dev = tty ? tty_dev(tty) : 0, .session = sid};

	tell_all(FILES_TTY_TAKEN, &taken, sizeof(taken));
}

static s64 serve_taken(struct shard_request *r)
{
	const struct file_tty *taken = shard_args(r, sizeof(*taken));

	if (!taken || !taken->session)
		return -EBADMSG;
	env_set_tty(taken->session, tty_of_dev(files, taken->dev));
	return 0;
}

/* ---- groups and owners ---- */

bool farfiles_group_in_session(u32 pgrp, u32 sid)
{
	struct file_group ask = {.pgrp = pgrp, .sid = sid};
	struct core_set cores;

	if (!net || shard_cores(net) == 1 || directory_members(pgrp, NUMBER_GROUP, &cores))
		return false;
	for (u32 core = 0; core < shard_cores(net); core++) {
		if (core != shard_self(net) && core_set_has(&cores, core) &&
		    shard_call(net, core, FILES_GROUP, &ask, sizeof(ask), NULL, 0, NULL) == 1)
			return true;
	}
	return false;
}

static s64 serve_group(struct shard_request *r)
{
	const struct file_group *ask = shard_args(r, sizeof(*ask));

	return ask ? env_group_in_session(ask->pgrp, ask->sid) : -EBADMSG;
}

bool farfiles_owner_exists(const struct vfs_owner *owner)
{
	struct core_set cores;

	if (!net || shard_cores(net) == 1)
		return false;
	if (owner->type == VFS_OWNER_GROUP)
		return directory_members(owner->id, NUMBER_GROUP, &cores) == 0;
	return directory_where(owner->id) >= 0;
}

void farfiles_signal_owner(const struct vfs_owner *owner, int signo, int fd, int code, u32 events)
{
	struct file_owner m = {.type = owner->type,
			       .id = owner->id,
			       .uid = owner->uid,
			       .euid = owner->euid,
			       .signo = signo,
			       .fd = fd,
			       .code = code,
			       .events = events};

	tell_all(FILES_OWNER, &m, sizeof(m));
}

static s64 serve_owner(struct shard_request *r)
{
	const struct file_owner *m = shard_args(r, sizeof(*m));
	struct vfs_owner owner;

	if (!m || m->signo < 0 || m->signo > (s32)SIGNALS)
		return -EBADMSG;
	owner = (struct vfs_owner){.type = m->type, .id = m->id, .uid = m->uid, .euid = m->euid};
	env_signal_owner(&owner, m->signo, m->fd, m->code, m->events);
	return 0;
}

int farfiles_init(struct vfs *vfs, struct shard_net *with)
{
	static const struct far_file_env env = {
		.who = say_who,
		.task_begin = task_begin,
		.task_end = task_end,
	};
	int err = far_files_join(vfs, with, DEVICES, &env, NULL);

	if (err)
		return err;
	net = with;
	files = vfs;
	file_register_kind(vfs, FILE_KIND_SIGNALFD, signalfd_remake);
	file_register_kind(vfs, FILE_KIND_PIDFD, pidfd_remake);
	err = shard_serve(net, FILES_SIGNAL, serve_signal, NULL);
	if (!err)
		err = shard_serve(net, FILES_TTY_TAKEN, serve_taken, NULL);
	if (!err)
		err = shard_serve(net, FILES_GROUP, serve_group, NULL);
	if (!err)
		err = shard_serve(net, FILES_OWNER, serve_owner, NULL);
	return err;
}
