/*
 * What the VFS needs of the personality (struct vfs_env), and the first root file system.
 *
 * Runs in: the personality's domain.
 */
#include "afar.h"
#include "farfiles.h"
#include "farpage.h"
#include "fmap.h"
#include "misc.h"
#include "namespaces.h"
#include "pidns.h"
#include "ram.h"
#include "random.h"
#include "sched.h"
#include "signal.h"
#include "timer.h"
#include "uaccess.h"

#include <errno.h>
#include <rt/rt.h>
#include <rt/monitor.h>
#include <string.h>
#include <vfs/mount.h>

static struct thread *thread_of(struct vfs_task *task)
{
	return container_of(task, struct thread, vfs);
}

static int lend_page(void *arg, struct page *page, u32 core, void *name)
{
	(void)arg;
	return page_lend(page, core, name);
}

static int borrow_page(void *arg, const void *name, struct page **out)
{
	(void)arg;
	return page_borrow(name, out);
}

static_assert(sizeof(struct page_name) == VFS_PAGE_NAME, "vfs.h");

static struct page *new_page(void *arg)
{
	(void)arg;
	return ram_new_zeroed();
}

static void free_page(void *arg, struct page *page)
{
	(void)arg;
	ram_free(page);
}

static u64 now_ns(void *arg)
{
	(void)arg;
	return timer_realtime();
}

static void random_for_vfs(void *arg, void *to, size_t len)
{
	(void)arg;
	random_bytes(to, len);
}

static int user_read(void *arg, struct vfs_task *task, void *to, u64 from, size_t len)
{
	(void)arg;
	return copy_in(thread_of(task), to, from, len);
}

static int user_write(void *arg, struct vfs_task *task, u64 to, const void *from, size_t len)
{
	(void)arg;
	return copy_out(thread_of(task), to, from, len);
}

static void unmap(void *arg, struct inode *inode, u64 first, u64 last)
{
	(void)arg;
	fmap_unmap(inode, first, last);
}

static bool is_mapped_writable(void *arg, struct inode *inode)
{
	(void)arg;
	return fmap_is_writable(inode);
}

static void signal_task(void *arg, struct vfs_task *task, int sig)
{
	struct thread *t = thread_of(task);

	(void)arg;
	if (afar_is_stub(t))
		farfiles_signal(t, sig);
	else
		signal_thread(t, &(struct k_siginfo){.signo = sig, .code = SI_KERNEL});
}

static void signal_pgrp(void *arg, u32 pgrp, int sig)
{
	(void)arg;
	signal_group(pgrp, &(struct k_siginfo){.signo = sig, .code = SI_KERNEL});
}

static bool is_ignored(void *arg, struct vfs_task *task, int sig)
{
	const struct thread *t = thread_of(task);

	(void)arg;
	if (afar_is_stub(t))
		return farfiles_ignores(t, sig);
	return t->sigmask & SIG_MASK(sig) ||
	       t->process->sighand->action[sig - 1].handler == SIG_IGN;
}

static bool is_orphaned(void *arg, u32 pgrp)
{
	(void)arg;
	return signal_group_is_orphaned(pgrp, 0);
}

bool env_group_in_session(u32 pgrp, u32 sid)
{
	for (const struct process *p = process_from(0); p; p = p->list_next) {
		if (p->pgrp == pgrp && p->sid == sid)
			return true;
	}
	return false;
}

static bool is_in_session(void *arg, u32 pgrp, u32 sid)
{
	(void)arg;
	return env_group_in_session(pgrp, sid) || farfiles_group_in_session(pgrp, sid);
}

void env_set_tty(u32 sid, struct tty *tty)
{
	for (struct process *p = process_from(0); p; p = p->list_next) {
		for (struct thread *t = p->threads; t && p->sid == sid; t = t->next)
			t->vfs.ctty = tty;
	}
}

static struct ns *ns_of(void *arg, const struct vfs_task *task, u32 type)
{
	(void)arg;
	return nsobjects_for_children(container_of(task, struct thread, vfs), type);
}

static void set_tty(void *arg, u32 sid, struct tty *tty)
{
	(void)arg;
	env_set_tty(sid, tty);
	farfiles_tell_session(sid, tty);
}

/* Is there such a thread, process or group on this core? */
static bool owner_is_here(const struct vfs_owner *owner)
{
	if (owner->type == VFS_OWNER_THREAD)
		return thread_find(owner->id);
	if (owner->type == VFS_OWNER_PROCESS)
		return process_find(owner->id);
	for (const struct process *p = process_from(0); p; p = p->list_next) {
		if (p->pgrp == owner->id)
			return true;
	}
	return false;
}

static bool owner_exists(void *arg, const struct vfs_owner *owner)
{
	(void)arg;
	return owner_is_here(owner) || farfiles_owner_exists(owner);
}

/* As kill(2), but by the ids of who asked for the signals. */
static bool owner_may_signal(const struct vfs_owner *owner, const struct thread *t)
{
	const struct cred *c = &t->cred;

	return owner->euid == 0 || owner->euid == c->suid || owner->euid == c->uid ||
	       owner->uid == c->suid || owner->uid == c->uid;
}

void env_signal_owner(const struct vfs_owner *owner, int signo, int fd, int code, u32 events)
{
	struct k_siginfo info = {.signo = SIGIO, .code = SI_KERNEL};
	struct thread *t;

	if (signo) {
		info = (struct k_siginfo){.signo = signo, .code = code};
		info.poll.band = events;
		info.poll.fd = fd;
	}
	if (owner->type == VFS_OWNER_THREAD) {
		t = thread_find(owner->id);
		if (t && owner_may_signal(owner, t))
			signal_thread(t, &info);
		return;
	}
	for (struct process *p = process_from(0); p; p = p->list_next) {
		u32 id = owner->type == VFS_OWNER_GROUP ? p->pgrp : p->pid;

		if (id == owner->id && p->threads && owner_may_signal(owner, p->threads))
			signal_process(p, &info);
	}
}

static void signal_owner(void *arg, const struct vfs_owner *owner, int signo, int fd, int code,
			 u32 events)
{
	(void)arg;
	env_signal_owner(owner, signo, fd, code, events);
	if (owner->type == VFS_OWNER_GROUP || !owner_is_here(owner))
		farfiles_signal_owner(owner, signo, fd, code, events);
}

static u32 show_number(void *arg, const struct vfs_task *task, u32 pid)
{
	(void)arg;
	return show_pid(container_of(task, struct thread, vfs), pid);
}

static u32 keep_number(void *arg, const struct vfs_task *task, u32 nr)
{
	(void)arg;
	return keep_pid(container_of(task, struct thread, vfs), nr);
}

static struct ns *pid_ns_parent(void *arg, const struct vfs_task *task, struct ns *ns)
{
	(void)arg;
	return nsobjects_pid_parent(container_of(task, struct thread, vfs), ns);
}

static s64 pid_ns_translate(void *arg, const struct vfs_task *task, struct ns *ns, u32 nr, bool in,
			    bool group)
{
	const struct thread *t = container_of(task, struct thread, vfs);
	const struct pid_ns *other = pid_ns_of(ns), *own = t->process->pid_ns;
	const struct thread *of = thread_find(pid_ns_keep(in ? own : other, nr));
	u32 result = 0;

	(void)arg;
	if (of)
		result = pid_ns_show(in ? other : own, group ? of->process->pid : of->tid);
	return result ? (s64)result : -ESRCH;
}

static void log_line(void *arg, const char *line)
{
	(void)arg;
	printf("linux: %s\n", line);
}

static int breathe(void *arg, struct vfs_task *task)
{
	(void)arg;
	return sched_breathe(thread_of(task));
}

struct vfs *env_init(void)
{
	static struct vfs_env env = {
		.page_new = new_page,
		.page_free = free_page,
		.page_lend = lend_page,
		.page_borrow = borrow_page,
		.now_ns = now_ns,
		.random = random_for_vfs,
		.user_read = user_read,
		.user_write = user_write,
		.unmap = unmap,
		.mapped_writable = is_mapped_writable,
		.signal_task = signal_task,
		.signal_group = signal_pgrp,
		.signal_ignored = is_ignored,
		.group_orphaned = is_orphaned,
		.group_in_session = is_in_session,
		.session_set_tty = set_tty,
		.signal_owner = signal_owner,
		.owner_exists = owner_exists,
		.ns_of = ns_of,
		.pid_ns_parent = pid_ns_parent,
		.pid_ns_translate = pid_ns_translate,
		.show_pid = show_number,
		.keep_pid = keep_number,
		.breathe = breathe,
		.log = log_line,
	};

	env.total_pages = ram_total_bytes() / PAGE_SIZE;
	return vfs_new(&env, NULL, &rt_loop, NULL);
}

const void *env_image(u64 *bytes)
{
	struct sys_words words = {0};
	cap_t frame;

	if (monitor_ask_cap(MON_IMAGE, &words, &frame))
		return NULL;
	*bytes = words.w[1];
	return vspace_attach(&rt_space, frame, 0, ROUND_UP(words.w[1], PAGE_SIZE), MAP_READ);
}

/* Every Linux program expects these; a root that brings its own mounts may mount over them. */
int env_mount(struct vfs_task *task)
{
	static const struct {
		const char *where, *type;
	} mounts[] = {{"/proc", "proc"},
		      {"/sys", "sysfs"},
		      {"/dev", "devtmpfs"},
		      {"/dev/pts", "devpts"},
		      {"/tmp", "tmpfs"}};

	for (u32 i = 0; i < ARRAY_SIZE(mounts); i++) {
		int err = vfs_mkdirat(task, AT_FDCWD, mounts[i].where, 0755);

		if (!err || err == -EEXIST)
			err = vfs_mount(task, mounts[i].type, mounts[i].where, mounts[i].type, 0,
					"");
		if (err)
			return err;
	}
	return 0;
}
