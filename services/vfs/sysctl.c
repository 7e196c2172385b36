/*
 * Numbers that programs read and set below /proc/sys; and those of the VFS itself, /proc/sys/fs.
 *
 * A number is decimal text with white space around it; what is not, or is out of bounds, is
 * -EINVAL and changes nothing.
 *
 * Source: proc_sys(5), proc_sys_fs(5).
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <vfs/proc.h>

int sysctl_show(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct sysctl *ctl = arg;

	(void)reader;
	(void)pid;
	text_printf(out, ctl->is_signed ? "%ld\n" : "%lu\n", *ctl->value);
	return 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* The number that all of @text is. */
static bool parse(const char *text, bool is_signed, u64 *out)
{
	bool minus;
	u64 n = 0;

	while (is_space(*text))
		text++;
	minus = *text == '-';
	text += minus;
	if ((minus && !is_signed) || *text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(n, 10ul, &n) ||
		    __builtin_add_overflow(n, (u64)(*text - '0'), &n))
			return false;
	}
	while (is_space(*text))
		text++;
	*out = minus ? -n : n;
	return *text == 0 && (!is_signed || n <= INT64_MAX);
}

int sysctl_store(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len)
{
	const struct sysctl *ctl = arg;
	u64 n;

	(void)writer;
	(void)pid;
	(void)len;
	if (!parse(text, ctl->is_signed, &n))
		return -EINVAL;
	if (ctl->is_signed ? (s64)n < (s64)ctl->min || (s64)n > (s64)ctl->max
			   : n < ctl->min || n > ctl->max)
		return -EINVAL;
	*ctl->value = n;
	return 0;
}

/* --- /proc/sys/fs --- */

static int show_file_nr(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)arg;
	(void)pid;
	text_printf(out, "%u\t0\t%lu\n", reader->vfs->nfiles, reader->vfs->tunables.file_max);
	return 0;
}

static int show_dentry_state(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)arg;
	(void)pid;
	text_printf(out, "%u\t%u\t45\t0\t0\t0\n", reader->vfs->nunused, reader->vfs->nunused);
	return 0;
}

static const struct proc_entry entries[] = {
	{.name = "sys/fs/file-nr", .mode = 0444, .show = show_file_nr},
	{.name = "sys/fs/dentry-state", .mode = 0444, .show = show_dentry_state},
};

/* A number of this instance's, with where it is. */
struct fs_sysctl {
	const char *name;
	size_t offset; /* in struct vfs_tunables */
	u64 usual, min, max;
};

#define AT(field) offsetof(struct vfs_tunables, field)

static const struct fs_sysctl fs_sysctls[] = {
	{"sys/fs/pipe-max-size", AT(pipe_max_size), 1 * MiB, PAGE_SIZE, 1ul << 31},
	{"sys/fs/file-max", AT(file_max), INT64_MAX, 0, INT64_MAX},
	{"sys/fs/nr_open", AT(nr_open), 1u << 20, 64, 0x7fffffc0},
	{"sys/fs/lease-break-time", AT(lease_break_s), 45, 0, INT32_MAX},
	{"sys/fs/mount-max", AT(mount_max), 100000, 1, INT32_MAX},
};

int sysctl_register(struct vfs *vfs)
{
	u32 n = ARRAY_SIZE(fs_sysctls);
	int err = procfs_add(vfs, entries, ARRAY_SIZE(entries));

	vfs->sysctls = calloc(n, sizeof(*vfs->sysctls));
	vfs->sysctl_entries = calloc(n, sizeof(*vfs->sysctl_entries));
	if (!vfs->sysctls || !vfs->sysctl_entries)
		return -ENOMEM;
	for (u32 i = 0; i < n && !err; i++) {
		const struct fs_sysctl *fs = &fs_sysctls[i];
		struct sysctl *ctl = &vfs->sysctls[i];
		struct proc_entry *entry = &vfs->sysctl_entries[i];

		ctl->value = (u64 *)((char *)&vfs->tunables + fs->offset);
		ctl->min = fs->min;
		ctl->max = fs->max;
		*ctl->value = fs->usual;
		*entry = (struct proc_entry){SYSCTL(fs->name, 0644, ctl)};
		err = procfs_add(vfs, entry, 1);
	}
	return err;
}

void sysctl_put(struct vfs *vfs)
{
	free(vfs->sysctls);
	free(vfs->sysctl_entries);
}
