/*
 * execve and execveat: from a path to a running program.
 *
 * All that can fail happens on the side, in a new address space; then the process changes into the
 * program, which cannot fail any more.
 *
 * Runs in: the personality's domain. Source: execve(2), capabilities(7).
 */
#include "exec.h"
#include "family.h"
#include "futex.h"
#include "misc.h"
#include "placement.h"
#include "sched.h"
#include "signal.h"
#include "syscall.h"
#include "timer.h"
#include "timens.h"
#include "uaccess.h"
#include "vdso.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/mount.h>

#define STRING_MAX     (128 * KiB) /* MAX_ARG_STRLEN */
#define ARGS_MIN       (128 * KiB)
#define ARGS_MAX       (6 * MiB)
#define SCRIPT_BYTES   256u /* of a script's first line: BINPRM_BUF_SIZE */
#define SCRIPTS_MAX    5u
#define USER_FLAGS     0x202u
#define EXEC_MAP_PAGES 1024u /* of what was brought in: as many as elfload.c may have */

/* ---- strings ---- */

/* Copy an array of strings of the program that calls. */
static int copy_strings(struct exec *e, struct strings *s, u64 array)
{
	char *string = malloc(STRING_MAX);
	int err = string ? 0 : -ENOMEM;

	while (!err && array) {
		u64 at;
		s64 len;

		err = copy_in(e->thread, &at, array, sizeof(at));
		if (err || !at)
			break;
		len = copy_string(e->thread, string, at, STRING_MAX);
		if (len < 0)
			err = len == -ENAMETOOLONG ? -E2BIG : (int)len;
		else
			err = strings_add(s, string, (u64)len);
		if (!err &&
		    e->args.len + e->env.len + (e->args.count + e->env.count) * 8 > e->limit_bytes)
			err = -E2BIG;
		if (signal_fatal(e->thread))
			err = -EINTR;
		array += 8;
	}
	free(string);
	return err;
}

/* Put @first in front of the arguments, in place of the first one if @replace. */
static int prepend(struct strings *s, const struct strings *first, bool replace)
{
	struct strings whole = {0};
	u64 skip = replace && s->count ? strlen(s->at) + 1 : 0;

	whole.room = first->len + s->len - skip + 1;
	whole.at = malloc(whole.room);
	if (!whole.at)
		return -ENOMEM;
	memcpy(whole.at, first->at, first->len);
	if (s->len > skip)
		memcpy(whole.at + first->len, s->at + skip, s->len - skip);
	whole.len = first->len + s->len - skip;
	whole.count = first->count + s->count - (skip ? 1 : 0);
	strings_free(s);
	*s = whole;
	return 0;
}

/* ---- credentials ---- */

/* capabilities(7), "Transformation of capabilities during execve()": no file capabilities yet. */
static void new_credentials(struct exec *e)
{
	const struct thread *t = e->thread;
	const struct inode *inode = e->file->inode;
	struct cred *c = &e->cred;
	bool may = !t->no_new_privs && mount_may_suid(&t->vfs, e->file->path.mnt) &&
		   (!t->cred.user_ns || inode_ids_known(&t->vfs, inode));
	u32 zero = keep_uid(t, 0); /* who is root here; NO_ID: nobody */
	bool root;

	*c = t->cred;
	if (may && inode->mode & S_ISUID)
		c->euid = inode->uid;
	if (may && (inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		c->egid = inode->gid;
	root = zero != NO_ID && (c->uid == zero || c->euid == zero) &&
	       !(c->securebits & 1 /* SECBIT_NOROOT */);
	if (c->euid != t->cred.euid || c->egid != t->cred.egid)
		c->ambient = 0;
	c->permitted = c->ambient;
	if (root)
		c->permitted = c->inheritable | c->bounding;
	c->effective = root && c->euid == zero ? c->permitted : c->ambient;
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	c->securebits &= ~0x10u; /* SECBIT_KEEP_CAPS */
	e->secure = c->uid != c->euid || c->gid != c->egid ||
		    (c->uid != zero && c->effective & ~c->ambient);
}

/* ---- what kind of file ---- */

static char *skip_blanks(char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

static char *word_end(char *at)
{
	while (*at && *at != ' ' && *at != '\t')
		at++;
	return at;
}

/* "#! interpreter [argument]": go on with the interpreter. */
static int script(struct exec *e, char *line, const char *path)
{
	struct strings first = {0};
	char *name, *arg, *end = strchr(line, '\n');
	int err;

	if (!end && !memchr(line, 0, SCRIPT_BYTES)) {
		end = word_end(skip_blanks(line + 2));
		if (!*end)
			return -ENOEXEC; /* the interpreter's name is cut */
		end = line + SCRIPT_BYTES - 1;
	}
	if (end)
		*end = 0;
	for (end = line + strlen(line); end > line && (end[-1] == ' ' || end[-1] == '\t'); end--)
		end[-1] = 0;
	name = skip_blanks(line + 2);
	if (!*name)
		return -ENOEXEC;
	end = word_end(name);
	arg = skip_blanks(end);
	err = strings_add(&first, name, (u64)(end - name));
	if (!err && *arg)
		err = strings_add(&first, arg, strlen(arg));
	if (!err)
		err = strings_add(&first, path, strlen(path));
	if (!err)
		err = prepend(&e->args, &first, true);
	if (!err) {
		file_put_exec(e->file);
		e->file = NULL;
		err = vfs_open_exec(&e->thread->vfs, AT_FDCWD, first.at, 0, &e->file);
		memmove(line, first.at, MIN(strlen(first.at) + 1, (size_t)SCRIPT_BYTES));
	}
	strings_free(&first);
	return err;
}

/* Follow scripts until the file is a program. */
static int find_program(struct exec *e)
{
	char head[SCRIPT_BYTES + 1], *path = strdup(e->name);
	int err = path ? 0 : -ENOMEM;

	for (u32 depth = 0; !err; depth++) {
		s64 n;

		memset(head, 0, sizeof(head));
		n = file_read_kernel(&e->thread->vfs, e->file, head, SCRIPT_BYTES, 0);
		if (n < 0)
			err = (int)n;
		else if (n < 2 || head[0] != '#' || head[1] != '!')
			break;
		else if (depth == SCRIPTS_MAX)
			err = -ELOOP;
		else
			err = script(e, head, path);
		if (!err) {
			free(path);
			path = strdup(head);
			err = path ? 0 : -ENOMEM;
		}
	}
	free(path);
	return err;
}

/* ---- the point of no return ---- */

/* Other threads end first. */
static int end_other_threads(struct thread *t)
{
	struct process *p = t->process;

	while (p->nthreads > 1) {
		for (struct thread *other = p->threads; other; other = other->next) {
			if (other == t)
				continue;
			other->exiting = true;
			fiber_wake_all(&other->stopped);
			signal_interrupt(other);
		}
		if (signal_fatal(t))
			return -EINTR;
		fiber_yield(sched_loop());
	}
	return 0;
}

static int unshare(struct thread *t)
{
	struct fd_table *files = NULL;
	struct sighand *sighand;
	int err = fd_table_copy(t->vfs.files, &files);

	if (err)
		return err;
	if (t->process->sighand->refs > 1) {
		sighand = sighand_copy(t->process->sighand);
		if (!sighand) {
			fd_table_put(&t->vfs, files);
			return -ENOMEM;
		}
		sighand_put(t->process->sighand);
		t->process->sighand = sighand;
	}
	fd_table_put(&t->vfs, t->vfs.files);
	t->vfs.files = files;
	return 0;
}

static void set_name(struct thread *t, const char *path)
{
	const char *slash = strrchr(path, '/');

	snprintf(t->name, sizeof(t->name), "%s", slash ? slash + 1 : path);
}

static void enter(struct exec *e)
{
	struct thread *t = e->thread;
	struct context_state *r = t->regs;

	memset(r, 0, offsetof(struct context_state, xstate));
	context_reset_xstate(r);
	r->rip = r->rcx = e->entry;
	r->rsp = e->sp;
	r->rflags = r->r11 = USER_FLAGS;
	t->call_number = UINT64_MAX;
}

static void become(struct exec *e)
{
	struct thread *t = e->thread;
	struct process *p = t->process;
	struct groups *groups = t->cred.groups;

	if (p->mm) {
		u32 zero = 0;

		futex_robust_exit(t);
		if (t->clear_child_tid && p->mm->users > 1) {
			copy_out(t, t->clear_child_tid, &zero, sizeof(zero));
			futex_wake_at(p->mm, t->clear_child_tid, 1);
		}
		p->maxrss_pages = MAX(p->maxrss_pages, p->mm->peak_pages);
		mm_put(p->mm);
	}
	p->mm = e->mm;
	e->mm = NULL;
	process_end_vfork(p);
	if (time_ns_changes(t))
		time_ns_arrive(t);
	t->clear_child_tid = t->robust_list = 0;
	t->rseq = t->rseq_len = 0;
	t->altstack = (struct k_stack){.flags = SS_DISABLE};
	t->cred = e->cred;
	t->cred.groups = groups;
	p->dumpable = !e->secure;
	p->exit_signal = SIGCHLD;
	p->did_exec = true;
	placement_execed(p);
	if (p->parent && p->parent->far)
		family_changed(p);
	if (e->secure)
		p->death_signal = 0;
	t->personality &= ~READ_IMPLIES_EXEC;
	if (e->secure)
		t->personality &= ~(READ_IMPLIES_EXEC | ADDR_NO_RANDOMIZE);
	posix_timers_delete(p);
	sighand_reset(p->sighand);
	fd_table_exec(&t->vfs);
	thread_sync_vfs(t);
	set_name(t, e->name);
	enter(e);
}

static void fill_limits(struct mm *mm, const struct process *p)
{
	mm->limit_as = p->limits[RLIMIT_AS].cur;
	mm->limit_data = p->limits[RLIMIT_DATA].cur;
	mm->limit_stack = p->limits[RLIMIT_STACK].cur;
}

/* The program is open and its arguments are here. */
static int start(struct exec *e)
{
	struct thread *t = e->thread;
	int err;

	if (e->args.count == 0) /* execve(2), NOTES: an empty argv gets an empty string */
		err = strings_add(&e->args, "", 0);
	else
		err = 0;
	if (!err)
		new_credentials(e);
	if (!err)
		err = find_program(e);
	if (err)
		return err;
	e->mm = mm_new();
	if (!e->mm)
		return -ENOMEM;
	fill_limits(e->mm, t->process);
	err = elf_load(e);
	if (!err)
		err = vdso_map(e->mm);
	if (!err && time_ns_of(t->ns[KIND_NEW_TIME]))
		err = vdso_ask(e->mm);
	if (!err)
		err = stack_make(e);
	if (!err)
		err = end_other_threads(t);
	if (!err)
		err = unshare(t);
	if (!err)
		err = context_bind(t->context, e->mm->space);
	if (!err) {
		mm_map_present(e->mm, EXEC_MAP_PAGES);
		become(e);
	}
	return err;
}

static void finish(struct exec *e)
{
	if (e->file)
		file_put_exec(e->file);
	mm_put(e->mm);
	strings_free(&e->args);
	strings_free(&e->env);
	free(e->name);
}

static u64 args_limit(const struct process *p)
{
	return MAX(MIN(p->limits[RLIMIT_STACK].cur / 4, ARGS_MAX), ARGS_MIN);
}

static int exec_from(struct thread *t, int dirfd, char *path, int flags, u64 argv, u64 envp)
{
	struct exec e = {.thread = t, .name = path, .limit_bytes = args_limit(t->process)};
	int err = vfs_open_exec(&t->vfs, dirfd, path, flags, &e.file);

	if (!err && dirfd != AT_FDCWD && path[0] != '/') { /* execveat(2): what a script will see */
		char name[64];

		snprintf(name, sizeof(name), path[0] ? "/dev/fd/%d/" : "/dev/fd/%d", dirfd);
		e.name = malloc(strlen(name) + strlen(path) + 1);
		if (e.name)
			strcat(strcpy(e.name, name), path);
		else
			err = -ENOMEM;
		free(path);
	}
	if (!err)
		err = copy_strings(&e, &e.args, argv);
	if (!err)
		err = copy_strings(&e, &e.env, envp);
	if (!err)
		err = start(&e);
	finish(&e);
	return err;
}

static s64 exec_call(struct thread *t, int dirfd, u64 path, int flags, u64 argv, u64 envp)
{
	char *name = malloc(VFS_PATH_MAX);
	s64 len = name ? copy_string(t, name, path, VFS_PATH_MAX) : -ENOMEM;

	if (len >= 0)
		return exec_from(t, dirfd, name, flags, argv, envp);
	free(name);
	return len;
}

s64 sys_execve(struct thread *t, const u64 *a)
{
	return exec_call(t, AT_FDCWD, a[0], 0, a[1], a[2]);
}

s64 sys_execveat(struct thread *t, const u64 *a)
{
	if (a[4] & ~(u64)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	return exec_call(t, (int)a[0], a[1], (int)a[4], a[2], a[3]);
}

int exec_first(struct thread *t, const char *path, const struct strings *args,
	       const struct strings *env)
{
	struct exec e = {.thread = t, .name = strdup(path), .limit_bytes = ARGS_MAX};
	int err = e.name ? vfs_open_exec(&t->vfs, AT_FDCWD, path, 0, &e.file) : -ENOMEM;

	if (!err)
		err = prepend(&e.args, args, false);
	if (!err)
		err = prepend(&e.env, env, false);
	if (!err)
		err = start(&e);
	finish(&e);
	return err;
}
