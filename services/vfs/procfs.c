/*
 * procfs: folders of processes over what the personality tells of them (struct proc_provider), and
 * the VFS's own files.
 *
 * An inode of a process knows its number only; everything is asked anew when it is used, so that
 * nothing keeps a process alive. A cached name is true while the process lives.
 *
 * Source: proc(5).
 * Runs in: the personality, host tests.
 */
#include "procfs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Positions of the names of processes in /proc begin here. */
#define FIRST_PID_POS 4096u

static const struct proc_provider *provider_of(const struct inode *inode)
{
	return inode->sb->vfs->procfs->provider;
}

struct vfs_task *proc_task(const struct inode *inode)
{
	const struct proc_provider *p = provider_of(inode);
	const struct pseudo_inode *pi = container_of(inode, struct pseudo_inode, inode);

	return p ? p->task(p->arg, pi->pid) : NULL;
}

u32 proc_show_pid(const struct superblock *sb, u32 pid)
{
	const struct proc_provider *p = sb->vfs->procfs->provider;

	return p && p->show ? p->show(p->arg, sb->private, pid) : pid;
}

u32 proc_keep_pid(const struct superblock *sb, u32 nr)
{
	const struct proc_provider *p = sb->vfs->procfs->provider;

	return p && p->keep ? p->keep(p->arg, sb->private, nr) : nr;
}

int proc_may_read(struct vfs_task *t, const struct inode *inode)
{
	const struct proc_provider *p = provider_of(inode);
	const struct pseudo_inode *pi = container_of(inode, struct pseudo_inode, inode);

	if (!proc_task(inode))
		return -ESRCH;
	return p->may_read(p->arg, t, pi->pid) ? 0 : -EACCES;
}

int proc_refresh(struct vfs_task *t, struct inode *inode)
{
	struct vfs_task *task;

	(void)t;
	if (!pseudo_inode(inode)->pid)
		return 0;
	task = proc_task(inode);
	if (!task)
		return -ESRCH;
	inode->uid = task->cred.fsuid;
	inode->gid = task->cred.fsgid;
	return 0;
}

bool proc_revalidate(struct vfs_task *t, struct dentry *dentry)
{
	const struct superblock *sb = dentry->sb;
	const struct pseudo_inode *pi = pseudo_inode(dentry->inode);

	if (proc_refresh(t, dentry->inode))
		return false;
	/* In a PID namespace the number may be somebody else's by now. */
	return !sb->private || !sb->vfs->procfs || pi->node != sb->vfs->procfs->process ||
	       proc_keep_pid(sb, (u32)proc_parse_number(dentry->name, dentry->len)) == pi->pid;
}

int proc_permission(struct vfs_task *t, struct inode *inode, u32 may)
{
	int err = proc_refresh(t, inode);

	return err ? err : inode_permission_generic(t, inode, may);
}

s64 proc_parse_number(const char *name, u32 len)
{
	s64 n = 0;

	if (!len || len > 10 || (name[0] == '0' && len > 1))
		return -1;
	for (u32 i = 0; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -1;
		n = n * 10 + (name[i] - '0');
	}
	return n <= INT32_MAX ? n : -1;
}

/* --- /proc --- */

/* The folder of process or thread @name in @dir. */
static int look_up_process(struct inode *dir, const char *name, u32 len, struct inode **out)
{
	const struct proc_provider *p = provider_of(dir);
	s64 nr = proc_parse_number(name, len);
	u32 pid = nr > 0 ? proc_keep_pid(dir->sb, (u32)nr) : 0;
	struct vfs_task *task = p && pid ? p->task(p->arg, pid) : NULL;
	int err;

	if (!task)
		return -ENOENT;
	err = pseudo_inode_new(dir->sb, dir->sb->vfs->procfs->process, pid, out);
	return err ? err : proc_refresh(NULL, *out);
}

static int look_up_in_root(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
			   struct inode **out)
{
	int err = pseudo_lookup(t, dir, name, len, out);

	return err == -ENOENT ? look_up_process(dir, name, len, out) : err;
}

/* Emit numbers that @next gives from the position on, counted from @base. */
static void emit_numbers(struct file *file, struct dir_context *ctx, u64 base, bool threads)
{
	const struct proc_provider *p = provider_of(file->inode);
	const struct pseudo_inode *pi = pseudo_inode(file->inode);
	const struct superblock *sb = file->inode->sb;
	u32 ino = sb->vfs->procfs->process->ino;

	ctx->pos = MAX(ctx->pos, base);
	for (;;) {
		u32 from = (u32)(ctx->pos - base), n;
		char name[16];
		int len;

		n = threads ? p->next_tid(p->arg, sb->private, pi->pid, from)
			    : p->next_pid(p->arg, sb->private, from);
		if (!n)
			return;
		len = snprintf(name, sizeof(name), "%u", n);
		if (!dir_emit(ctx, name, (u32)len, (u64)proc_keep_pid(sb, n) << 40 | (u64)ino << 24,
			      DT_DIR, base + n + 1))
			return;
	}
}

static int give_processes(struct vfs_task *t, struct file *file, struct dir_context *ctx)
{
	(void)t;
	if (ctx->pos < FIRST_PID_POS && !pseudo_emit_children(file, ctx))
		return 0;
	if (provider_of(file->inode))
		emit_numbers(file, ctx, FIRST_PID_POS, false);
	return 0;
}

static const struct inode_ops root_ops = {.lookup = look_up_in_root};
static const struct file_ops root_file_ops = {
	.readdir = give_processes, .seek = pseudo_seek, .fsync = fsync_nothing};

/* --- /proc/PID/task --- */

static int look_up_thread(struct vfs_task *t, struct inode *dir, const char *name, u32 len,
			  struct inode **out)
{
	const struct proc_provider *p = provider_of(dir);
	u32 pid = pseudo_inode(dir)->pid;
	s64 tid = proc_parse_number(name, len);

	(void)t;
	if (!p || tid <= 0)
		return -ENOENT;
	if (p->next_tid ? p->next_tid(p->arg, dir->sb->private, pid, (u32)tid) != (u32)tid
			: (u32)tid != pid)
		return -ENOENT;
	return look_up_process(dir, name, len, out);
}

static int give_threads(struct vfs_task *t, struct file *file, struct dir_context *ctx)
{
	const struct proc_provider *p = provider_of(file->inode);
	u32 pid = pseudo_inode(file->inode)->pid;
	char name[16];

	(void)t;
	if (!proc_task(file->inode))
		return -ENOENT;
	if (ctx->pos < 2 && !pseudo_emit_children(file, ctx))
		return 0;
	if (p->next_tid)
		emit_numbers(file, ctx, 2, true);
	else if (ctx->pos == 2)
		dir_emit(ctx, name, (u32)snprintf(name, sizeof(name), "%u", pid), (u64)pid << 40,
			 DT_DIR, 3);
	return 0;
}

static const struct inode_ops task_dir_ops = {.lookup = look_up_thread,
					      .refresh = proc_refresh,
					      .revalidate = proc_revalidate,
					      .permission = proc_permission};
static const struct file_ops task_dir_file_ops = {
	.readdir = give_threads, .seek = pseudo_seek, .fsync = fsync_nothing};

/* --- The VFS's own files --- */

static int show_self(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct proc_provider *p = reader->vfs->procfs->provider;
	u32 nr = p && p->show ? p->show(p->arg, out->pid_ns, reader->tgid) : reader->tgid;

	(void)arg;
	(void)pid;
	text_printf(out, "%u", nr);
	return nr ? 0 : -ENOENT;
}

static int show_thread_self(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct proc_provider *p = reader->vfs->procfs->provider;
	u32 tgid = reader->tgid, tid = reader->tid;

	(void)arg;
	(void)pid;
	if (p && p->show) {
		tgid = p->show(p->arg, out->pid_ns, tgid);
		tid = p->show(p->arg, out->pid_ns, tid);
	}
	text_printf(out, "%u/task/%u", tgid, tid);
	return tgid ? 0 : -ENOENT;
}

static int show_self_mounts(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)arg;
	(void)reader;
	(void)pid;
	text_puts(out, "self/mounts");
	return 0;
}

static int show_filesystems(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)arg;
	(void)pid;
	vfs_show_filesystems(reader->vfs, out);
	return 0;
}

static const struct proc_entry global_entries[] = {
	{.name = "self", .mode = S_IFLNK | 0777, .show = show_self},
	{.name = "thread-self", .mode = S_IFLNK | 0777, .show = show_thread_self},
	{.name = "mounts", .mode = S_IFLNK | 0777, .show = show_self_mounts},
	{.name = "filesystems", .mode = 0444, .show = show_filesystems},
};

int proc_find_task(struct vfs_task *reader, u32 pid, struct vfs_task **out)
{
	const struct proc_provider *p = reader->vfs->procfs->provider;

	*out = p ? p->task(p->arg, pid) : NULL;
	if (!*out || !(*out)->fs)
		return -ESRCH;
	return p->may_read(p->arg, reader, pid) ? 0 : -EACCES;
}

static int follow_place(struct vfs_task *reader, u32 pid, bool root, struct path *out)
{
	struct vfs_task *task;
	int err = proc_find_task(reader, pid, &task);

	if (err)
		return err == -ESRCH ? -ENOENT : err;
	*out = root ? task->fs->root : task->fs->cwd;
	path_get(out);
	return 0;
}

static int follow_cwd(void *arg, struct vfs_task *reader, u32 pid, struct path *out)
{
	(void)arg;
	return follow_place(reader, pid, false, out);
}

static int follow_root(void *arg, struct vfs_task *reader, u32 pid, struct path *out)
{
	(void)arg;
	return follow_place(reader, pid, true, out);
}

static const struct proc_entry process_entries[] = {
	{.name = "cwd", .mode = S_IFLNK | 0777, .follow = follow_cwd},
	{.name = "root", .mode = S_IFLNK | 0777, .follow = follow_root},
};

/* --- Life --- */

static int add_all(struct pseudo_node *root, const struct proc_entry *entries, u32 n, void *arg)
{
	int err = 0;

	for (u32 i = 0; i < n && !err; i++)
		err = pseudo_add(root, &entries[i], arg ? arg : entries[i].arg);
	return err;
}

int procfs_add(struct vfs *vfs, const struct proc_entry *entries, u32 n)
{
	return add_all(vfs->procfs->root, entries, n, NULL);
}

int procfs_add_to_processes(struct vfs *vfs, const struct proc_entry *entries, u32 n)
{
	return add_all(vfs->procfs->process, entries, n, NULL);
}

int procfs_set_provider(struct vfs *vfs, const struct proc_provider *provider)
{
	vfs->procfs->provider = provider;
	return add_all(vfs->procfs->process, provider->entries, provider->nentries, provider->arg);
}

static void begin(const struct vfs_task *t, struct superblock *sb)
{
	const struct vfs_env *env = sb->vfs->env;

	if (env->ns_of)
		sb->private = ns_get(env->ns_of(sb->vfs->arg, t, NS_PID));
}

static void put_pid_ns(struct superblock *sb)
{
	if (sb->private)
		ns_put(sb->private);
}

static const struct superblock_ops super_ops = {.put = put_pid_ns};

static int mount(struct vfs *vfs, void *arg, const char *source, const char *options,
		 struct superblock **out)
{
	int err;

	(void)arg;
	(void)source;
	(void)options; /* hidepid= and gid= are accepted and change nothing yet */
	err = pseudo_mount(vfs, "proc", VFS_PROC_MAGIC, vfs->procfs->root, out);

	if (!err) {
		(*out)->fixed_names = true;
		(*out)->ops = &super_ops;
	}
	return err;
}

u32 procfs_process_of(const struct file *file)
{
	const struct pseudo_inode *pi = container_of(file->inode, struct pseudo_inode, inode);

	if (strcmp(file->inode->sb->type, "proc") != 0)
		return 0;
	return pi->node == file->inode->sb->vfs->procfs->process ? pi->pid : 0;
}

static int add_process_template(struct procfs *proc)
{
	struct pseudo_node *task;
	int err;

	proc->process = pseudo_root(&pseudo_folder_ops, &pseudo_folder_file_ops);
	if (!proc->process)
		return -ENOMEM;
	task = pseudo_folder(proc->process, "task", 4);
	if (!task)
		return -ENOMEM;
	task->ops = &task_dir_ops;
	task->fops = &task_dir_file_ops;
	err = proc_fd_register(proc);
	return err ? err
		   : add_all(proc->process, process_entries, ARRAY_SIZE(process_entries), NULL);
}

int procfs_register(struct vfs *vfs)
{
	struct fs_type *type = calloc(1, sizeof(*type));
	struct procfs *proc;
	int err;

	if (!type)
		return -ENOMEM;
	*type = (struct fs_type){.name = "proc",
				 .nodev = true,
				 .anybody = true,
				 .of = NS_PID,
				 .revealing = true,
				 .mount = mount,
				 .begin = begin};
	vfs_register_fs(vfs, type);
	proc = vfs->procfs = calloc(1, sizeof(*proc));
	if (!proc)
		return -ENOMEM;
	proc->root = pseudo_root(&root_ops, &root_file_ops);
	if (!proc->root)
		return -ENOMEM;
	err = add_process_template(proc);
	if (!err)
		err = proc_ns_register(vfs);
	if (!err)
		err = proc_mounts_register(vfs);
	return err ? err : procfs_add(vfs, global_entries, ARRAY_SIZE(global_entries));
}

void procfs_put(struct vfs *vfs)
{
	if (!vfs->procfs)
		return;
	if (vfs->procfs->root)
		pseudo_free(vfs->procfs->root);
	if (vfs->procfs->process)
		pseudo_free(vfs->procfs->process);
	free(vfs->procfs);
}
