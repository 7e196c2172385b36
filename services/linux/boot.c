/*
 * From a root file system to the first process, as Linux does with an initramfs.
 *
 * The boot image may have, beside Skerry's own programs:
 *
 *   boot/root      archives that become the root; without it the image itself does
 *   boot/command   a program of the root to run, and its arguments, each with its NUL
 *   init           our init (services/init), for roots that have none, and to run programs
 *
 * Who is process 1:
 *
 *   boot/command        our init, which runs the program and ends with its status
 *   /init, or rdinit=   that; nothing is mounted for it. Its end is a panic, as on Linux
 *   init=               that
 *   none of these       our init
 *
 * The tests of Skerry name a program behind "--" instead, which is then process 1 itself.
 *
 * Runs in: the personality's domain. Source: Linux, Documentation/filesystems/
 * ramfs-rootfs-initramfs.rst; Documentation/admin-guide/init.rst.
 */
#include "boot.h"
#include "bootwords.h"
#include "console.h"
#include "exec.h"
#include "misc.h"
#include "sched.h"

#include <cpio/cpio.h>
#include <errno.h>
#include <rt/monitor.h>
#include <rt/rt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/mount.h>

#define ROOT_PATH    "boot/root"
#define COMMAND_PATH "boot/command"
#define INIT_PATH    "init"
#define OUR_FOLDER   "/.boot" /* where our init lies until it is started */
#define OUR_INIT     OUR_FOLDER "/init"

const char *kernel_cmdline = "";

static bool end_is_panic; /* that of process 1 */

/* ---- words and ends ---- */

static char *console_term; /* what hake says of the terminal behind the serial line; or NULL */

/* Words that hake puts in front: they are about the machine, and Linux has none of them. */
static const char *skip_ours(const char *line)
{
	static const char *const ours[] = {
		"panic=exit", "first_core=", "exit_key=", "console_term=", "console_size="};

	for (u32 i = 0; i < ARRAY_SIZE(ours); i++) {
		if (strncmp(line, ours[i], strlen(ours[i])) == 0) {
			line += strcspn(line, " ");
			line += *line == ' ';
		}
	}
	return line;
}

int boot_set_cmdline(const char *line)
{
	char *rest = strdup(skip_ours(line));
	char *size = bootwords_value(line, "console_size");
	u32 rows, cols;

	if (!rest)
		return -ENOMEM;
	kernel_cmdline = rest;
	console_term = bootwords_value(line, "console_term");
	if (size && sscanf(size, "%ux%u", &rows, &cols) == 2)
		console_set_size(rows, cols);
	free(size);
	return 0;
}

/* The environment begins with the terminal that there is; the command line may say another. */
static int read_words(struct bootwords *words)
{
	struct strings line = {0};
	char text[80];
	int err;

	snprintf(text, sizeof(text), "TERM=%s ", console_term ? console_term : "linux");
	err = strings_add(&line, text, strlen(text));
	if (!err) {
		line.len--; /* one string, not two */
		err = strings_add(&line, kernel_cmdline, strlen(kernel_cmdline));
	}
	if (!err)
		err = bootwords_read(words, line.at);
	strings_free(&line);
	return err;
}

static _Noreturn void end_machine(u64 status, bool restart)
{
	print_flush();
	monitor_ask_simple(MON_POWEROFF, status, restart, 0, 0);
	exit((int)status);
}

static int panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says why the machine cannot go on. Returns the status that it ends with. */
static int panic(const char *format, ...)
{
	char why[320];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	printf("Kernel panic - not syncing: %s\n", why);
	return BOOT_PANIC_STATUS;
}

_Noreturn void boot_end(enum boot_end how)
{
	static const char *const said[] = {
		[BOOT_POWER_OFF] = "Power down",
		[BOOT_HALT] = "System halted",
		[BOOT_RESTART] = "Restarting system",
	};

	console_flush();
	printf("reboot: %s\n", said[how]);
	end_machine(0, how == BOOT_RESTART);
}

_Noreturn void boot_first_ended(const struct process *p)
{
	u32 status = p->exit_status;

	console_flush();
	if (end_is_panic)
		end_machine((u64)panic("Attempted to kill init! exitcode=0x%08x", status), false);
	end_machine(status & 0x7f ? 128 + (status & 0x7f) : status >> 8, false);
}

/* ---- the root ---- */

static int make_console(struct vfs_task *t)
{
	int err = vfs_mkdirat(t, AT_FDCWD, "/dev", 0755);

	if (!err)
		err = vfs_mknodat(t, AT_FDCWD, "/dev/console", S_IFCHR | 0600, VFS_DEV(5, 1));
	return err ? err : vfs_mkdirat(t, AT_FDCWD, "/root", 0700);
}

/* A kernel's root has a console before anything is unpacked, so that process 1 has one. */
static int fill_root(struct vfs_task *t, const void *image, u64 bytes)
{
	static char message[400];
	struct cpio_entry root;
	u64 where;
	int err = make_console(t);

	if (err)
		return panic("the root file system: %s", strerror(-err));
	if (cpio_find(image, bytes, ROOT_PATH, &root, &where) == CPIO_OK)
		err = vfs_unpack(t, root.data, root.size, message, sizeof(message));
	else
		err = vfs_unpack(t, image, bytes, message, sizeof(message));
	if (err)
		return panic("the root file system: %s", message[0] ? message : strerror(-err));
	return 0;
}

/* ---- the first process ---- */

static int start(struct thread *t, const char *path, const char *name, const struct strings *args,
		 const struct strings *env)
{
	struct strings all = {0};
	int err = strings_add(&all, name, strlen(name));

	for (u32 i = 0; i < args->count && !err; i++) {
		const char *arg = strings_get(args, i);

		err = strings_add(&all, arg, strlen(arg));
	}
	if (!err)
		err = exec_first(t, path, &all, env);
	strings_free(&all);
	return err;
}

/* Our init needs no place in the root: its file is gone as soon as it runs. */
static int start_ours(struct thread *t, const void *image, u64 bytes, const struct strings *args,
		      const struct strings *env)
{
	struct vfs_task *task = &t->vfs;
	struct cpio_entry e;
	u64 where;
	int err = cpio_find(image, bytes, INIT_PATH, &e, &where) ? -ENOENT : 0;

	if (!err)
		err = vfs_mkdirat(task, AT_FDCWD, OUR_FOLDER, 0700);
	if (!err)
		err = vfs_put_file(task, OUR_INIT, 0755, e.data, e.size);
	if (!err)
		err = start(t, OUR_INIT, "init", args, env);
	vfs_unlinkat(task, AT_FDCWD, OUR_INIT, 0);
	vfs_unlinkat(task, AT_FDCWD, OUR_FOLDER, AT_REMOVEDIR);
	return err;
}

/* init --run PROGRAM ARGUMENT...; the words of the command line are its environment. */
static int start_command(struct thread *t, const void *image, u64 bytes,
			 const struct cpio_entry *command, const struct bootwords *words)
{
	struct strings args = {0};
	int err = strings_add(&args, "--run", 5);

	for (u64 at = 0; at < command->size && !err;) {
		const char *arg = (const char *)command->data + at;
		size_t len = strnlen(arg, command->size - at);

		err = strings_add(&args, arg, len);
		at += len + 1;
	}
	if (!err)
		err = start_ours(t, image, bytes, &args, &words->env);
	strings_free(&args);
	return err ? panic("init: %s", strerror(-err)) : 0;
}

static bool is_executable(struct vfs_task *t, const char *path)
{
	return vfs_faccessat2(t, AT_FDCWD, path, 1, AT_EACCESS) == 0;
}

static int start_init(struct thread *t, const void *image, u64 bytes, const struct bootwords *words)
{
	const char *path = words->rdinit ? words->rdinit : "/init";
	int err;

	end_is_panic = true;
	if (!words->rdinit && !is_executable(&t->vfs, path))
		path = words->init;
	if (path) {
		err = start(t, path, path, &words->args, &words->env);
		return err ? panic("Requested init %s failed (error %d).", path, err) : 0;
	}
	err = start_ours(t, image, bytes, &words->args, &words->env);
	return err ? panic("No working init found (error %d).", err) : 0;
}

static int boot(struct thread *t, const void *image, u64 bytes)
{
	struct bootwords words = {0};
	struct cpio_entry command;
	u64 where;
	int status = 0;

	if (read_words(&words))
		status = panic("no memory for the command line");
	if (!status && console_open(&t->vfs))
		printf("Warning: unable to open an initial console.\n");
	if (!status)
		status = cpio_find(image, bytes, COMMAND_PATH, &command, &where) == CPIO_OK
				 ? start_command(t, image, bytes, &command, &words)
				 : start_init(t, image, bytes, &words);
	bootwords_free(&words);
	return status;
}

/* The program that the machine was started for, with all that Linux programs expect. */
static int run_program(struct thread *t, int argc, char **argv)
{
	static const char *const environment[] = {
		"HOME=/",
		"TERM=linux",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	};
	struct strings args = {0}, env = {0};
	int err = env_mount(&t->vfs);

	if (!err)
		err = console_open(&t->vfs);
	for (int i = 1; i < argc && !err; i++)
		err = strings_add(&args, argv[i], strlen(argv[i]));
	for (u32 i = 0; i < ARRAY_SIZE(environment) && !err; i++)
		err = strings_add(&env, environment[i], strlen(environment[i]));
	if (!err)
		err = start(t, argv[0], argv[0], &args, &env);
	strings_free(&args);
	strings_free(&env);
	if (!err)
		return 0;
	printf("linux: %s: %s\n", argv[0], strerror(-err));
	return err == -ENOENT || err == -ENOTDIR ? NOT_FOUND : NOT_A_PROGRAM;
}

int boot_first(struct thread *t, int argc, char **argv)
{
	u64 bytes = 0;
	const void *image = env_image(&bytes);
	int status;

	if (!image)
		return panic("the boot image cannot be read");
	status = fill_root(&t->vfs, image, bytes);
	if (status)
		return status;
	return argc ? run_program(t, argc, argv) : boot(t, image, bytes);
}
