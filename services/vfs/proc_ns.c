/*
 * What /proc/PID shows of namespaces: ns/, uid_map, gid_map, setgroups.
 *
 * Runs in: the personality, host tests. Source: namespaces(7), user_namespaces(7).
 */
#include "procfs.h"

static struct vfs_task *task_of(struct vfs_task *reader, u32 pid)
{
	const struct proc_provider *p = reader->vfs->procfs->provider;
	struct vfs_task *task = p ? p->task(p->arg, pid) : NULL;

	return task && task->fs ? task : NULL;
}

static bool may_read(struct vfs_task *reader, u32 pid)
{
	const struct proc_provider *p = reader->vfs->procfs->provider;

	return p->may_read(p->arg, reader, pid);
}

static int follow_mnt(void *arg, struct vfs_task *reader, u32 pid, struct path *out)
{
	struct vfs_task *task = task_of(reader, pid);

	(void)arg;
	if (!task)
		return -ENOENT;
	return may_read(reader, pid) ? ns_path(&task->fs->mnt->ns, out) : -EACCES;
}

static int follow_user(void *arg, struct vfs_task *reader, u32 pid, struct path *out)
{
	struct vfs_task *task = task_of(reader, pid);

	(void)arg;
	if (!task)
		return -ENOENT;
	return may_read(reader, pid) ? ns_path(&task_user_ns(task)->ns, out) : -EACCES;
}

static const enum id_kind kinds[] = {MAP_USERS, MAP_GROUPS};

static int show_map(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct vfs_task *task = task_of(reader, pid);

	if (!task)
		return -ESRCH;
	user_ns_show_map(reader, task_user_ns(task), *(const enum id_kind *)arg, out);
	return 0;
}

static int store_map(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len)
{
	const struct vfs_task *task = task_of(writer, pid);

	if (!task)
		return -ESRCH;
	if (len >= PAGE_SIZE)
		return -EINVAL;
	return user_ns_set_map(writer, task_user_ns(task), *(const enum id_kind *)arg, text);
}

static int show_setgroups(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct vfs_task *task = task_of(reader, pid);

	(void)arg;
	if (!task)
		return -ESRCH;
	text_puts(out, task_user_ns(task)->setgroups ? "allow\n" : "deny\n");
	return 0;
}

static int store_setgroups(void *arg, struct vfs_task *writer, u32 pid, const char *text,
			   size_t len)
{
	const struct vfs_task *task = task_of(writer, pid);

	(void)arg;
	(void)len;
	if (!task)
		return -ESRCH;
	return user_ns_set_setgroups(writer, task_user_ns(task), text);
}

static const struct proc_entry entries[] = {
	{.name = "ns/mnt", .mode = S_IFLNK | 0777, .follow = follow_mnt},
	{.name = "ns/user", .mode = S_IFLNK | 0777, .follow = follow_user},
	{.name = "uid_map",
	 .mode = 0644,
	 .show = show_map,
	 .store = store_map,
	 .arg = (void *)&kinds[MAP_USERS]},
	{.name = "gid_map",
	 .mode = 0644,
	 .show = show_map,
	 .store = store_map,
	 .arg = (void *)&kinds[MAP_GROUPS]},
	{.name = "setgroups", .mode = 0644, .show = show_setgroups, .store = store_setgroups},
};

int proc_ns_register(struct vfs *vfs)
{
	return procfs_add_to_processes(vfs, entries, ARRAY_SIZE(entries));
}
