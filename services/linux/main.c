/*
 * The Linux personality of a core: its beginning.
 *
 *   linux [-c KERNEL-COMMAND-LINE] PROGRAM [ARGUMENT...]
 *
 * Makes the root file system, then process 1, and becomes the scheduler of the core's Linux
 * threads. When process 1 ends, so does this program, with its status.
 *
 * Where to go on reading: process.h, sched.h, mm.h, signal.h, syscall.h.
 */
#include "console.h"
#include "exec.h"
#include "misc.h"
#include "ram.h"
#include "random.h"
#include "sched.h"
#include "signal.h"
#include "syscall.h"
#include "timer.h"
#include "vdso.h"

#include <rt/rt.h>
#include <stdlib.h>
#include <string.h>

#define NOT_FOUND     127 /* what a shell says of a program that is not there */
#define NOT_A_PROGRAM 126

const char *kernel_cmdline = "";

/* The value of "@key=value" in the kernel's command line, to be freed; NULL: it is not there. */
static char *cmdline_value(const char *key)
{
	const char *at = kernel_cmdline;
	size_t len = strlen(key);

	while (*at) {
		size_t word = strcspn(at, " ");

		if (word > len && strncmp(at, key, len) == 0 && at[len] == '=')
			return strndup(at + len + 1, word - len - 1);
		at += word;
		at += strspn(at, " ");
	}
	return NULL;
}

static void set_limits(struct process *p)
{
	static const struct k_rlimit limits[RLIMITS] = {
		[RLIMIT_CPU] = {RLIM_INFINITY, RLIM_INFINITY},
		[RLIMIT_FSIZE] = {RLIM_INFINITY, RLIM_INFINITY},
		[RLIMIT_DATA] = {RLIM_INFINITY, RLIM_INFINITY},
		[RLIMIT_STACK] = {8 * MiB, RLIM_INFINITY},
		[RLIMIT_CORE] = {0, RLIM_INFINITY},
		[RLIMIT_RSS] = {RLIM_INFINITY, RLIM_INFINITY},
		[RLIMIT_NPROC] = {7800, 7800},
		[RLIMIT_NOFILE] = {1024, 4096},
		[RLIMIT_MEMLOCK] = {8 * MiB, 8 * MiB},
		[RLIMIT_AS] = {RLIM_INFINITY, RLIM_INFINITY},
		[RLIMIT_LOCKS] = {RLIM_INFINITY, RLIM_INFINITY},
		[RLIMIT_SIGPENDING] = {7800, 7800},
		[RLIMIT_MSGQUEUE] = {819200, 819200},
		[RLIMIT_RTTIME] = {RLIM_INFINITY, RLIM_INFINITY},
	};

	memcpy(p->limits, limits, sizeof(limits));
}

/* Process 1, without a program yet; NULL: no memory. */
static struct thread *make_first(struct vfs *vfs)
{
	struct process *p = process_new(1);
	struct thread *t = p ? thread_new(p, 1) : NULL;

	if (!t)
		return NULL;
	init_process = p;
	p->pgrp = p->sid = 0;
	p->exit_signal = SIGCHLD;
	p->sighand = sighand_new();
	set_limits(p);
	t->cred.effective = t->cred.permitted = t->cred.bounding = CAP_ALL;
	t->vfs.vfs = vfs;
	t->vfs.fs = fs_context_new(vfs);
	t->vfs.files = fd_table_new(vfs);
	if (!p->sighand || !t->vfs.fs || !t->vfs.files)
		return NULL;
	thread_sync_vfs(t);
	return t;
}

static int start_program(struct thread *t, int argc, char **argv)
{
	static const char *const environment[] = {
		"HOME=/",
		"TERM=linux",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	};
	struct strings args = {0}, env = {0};
	int err = 0;

	for (int i = 0; i < argc && !err; i++)
		err = strings_add(&args, argv[i], strlen(argv[i]));
	for (u32 i = 0; i < ARRAY_SIZE(environment) && !err; i++)
		err = strings_add(&env, environment[i], strlen(environment[i]));
	if (!err)
		err = exec_first(t, argv[0], &args, &env);
	strings_free(&args);
	strings_free(&env);
	return err;
}

static int init(struct vfs **vfs)
{
	char *trace = cmdline_value("linux.trace");
	int err = ram_init();

	if (trace)
		trace_init(trace);
	free(trace);
	random_init();
	sigframe_init();
	if (!err)
		err = vdso_init();
	if (!err)
		err = timer_init();
	if (err)
		return err;
	*vfs = env_init();
	if (!*vfs)
		return -ENOMEM;
	err = console_init(*vfs);
	if (!err)
		err = proc_init(*vfs);
	return err;
}

int main(int argc, char **argv)
{
	struct vfs *vfs;
	struct thread *first;
	int err;

	argc--, argv++;
	if (argc >= 2 && strcmp(argv[0], "-c") == 0) {
		kernel_cmdline = argv[1];
		argc -= 2, argv += 2;
	}
	if (argc < 1) {
		printf("linux: no program to run\n");
		return NOT_FOUND;
	}
	err = init(&vfs);
	if (err) {
		printf("linux: cannot start: %s\n", strerror(-err));
		return NOT_A_PROGRAM;
	}
	first = make_first(vfs);
	if (!first)
		err = -ENOMEM;
	if (!err)
		err = env_mount(&first->vfs);
	if (!err)
		err = console_open(&first->vfs);
	if (!err)
		err = start_program(first, argc, argv);
	if (err) {
		printf("linux: %s: %s\n", argv[0], strerror(-err));
		return err == -ENOENT || err == -ENOTDIR ? NOT_FOUND : NOT_A_PROGRAM;
	}
	sched_add(first);
	err = sched_init();
	if (err)
		return NOT_A_PROGRAM;
	rt_sleep_forever();
}
