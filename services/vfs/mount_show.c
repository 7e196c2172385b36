/*
 * Mounts as text: /proc/PID/mounts, /proc/PID/mountinfo, /proc/PID/mountstats.
 *
 * Shown are the mounts of the process's namespace that can be reached from its root, in the order
 * in which they were made.
 *
 * Runs in: the personality, host tests. Source: proc_pid_mounts(5), proc_pid_mountinfo(5),
 * proc_pid_mountstats(5).
 */
#include "mount_internal.h"

#include <stdlib.h>
#include <string.h>
#include <vfs/text.h>

/* --- /proc --- */

void mount_show_flags(const struct mount *mnt, struct text *out)
{
	static const struct {
		u32 flag;
		const char *name;
	} names[] = {
		{VFS_MNT_NOSUID, ",nosuid"},           {VFS_MNT_NODEV, ",nodev"},
		{VFS_MNT_NOEXEC, ",noexec"},           {VFS_MNT_NOATIME, ",noatime"},
		{VFS_MNT_NODIRATIME, ",nodiratime"},   {VFS_MNT_RELATIME, ",relatime"},
		{VFS_MNT_NOSYMFOLLOW, ",nosymfollow"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (mnt->flags & names[i].flag)
			text_puts(out, names[i].name);
	}
}

void mount_show_root(const struct mount *mnt, struct text *out)
{
	struct text path = {0};

	if (mnt->root->parent == mnt->root && mnt->root != mnt->sb->root) {
		text_escape(out, mnt->root->name, ""); /* a file of nsfs */
		return;
	}
	for (struct dentry *d = mnt->root; d != mnt->sb->root; d = d->parent) {
		struct text longer = {0};

		text_puts(&longer, "/");
		text_escape(&longer, d->name, "");
		text_puts(&longer, path.at ? path.at : "");
		text_free(&path);
		path = longer;
	}
	text_puts(out, path.at ? path.at : "/");
	if (mnt->root != mnt->sb->root && !mnt->root->hashed)
		text_puts(out, "//deleted");
	text_free(&path);
}

void mount_show_options(const struct mount *mnt, struct text *out)
{
	if (mnt->sb->ops->show_options)
		mnt->sb->ops->show_options(mnt->sb, out);
}

static void show_modes(const struct superblock *sb, struct text *out)
{
	if (sb->modes & MS_SYNCHRONOUS)
		text_puts(out, ",sync");
	if (sb->modes & MS_DIRSYNC)
		text_puts(out, ",dirsync");
	if (sb->modes & MS_LAZYTIME)
		text_puts(out, ",lazytime");
}

/* A line of /proc/PID/mounts. */
static void show_mount(const struct mount *mnt, const char *point, struct text *out)
{
	text_escape(out, mount_source(mnt), "#");
	text_puts(out, " ");
	text_escape(out, point, "");
	text_printf(out, " %s %s", mnt->sb->type, mount_is_readonly(mnt) ? "ro" : "rw");
	show_modes(mnt->sb, out);
	mount_show_flags(mnt, out);
	mount_show_options(mnt, out);
	text_puts(out, " 0 0\n");
}

u32 mount_propagates_from(const struct mount *mnt, const struct path *root)
{
	for (const struct mount_group *g = mount_master(mnt); g; g = g->master) {
		const struct mount *m = g->members;

		while (m) { /* far groups may have none here */
			if (m->ns == root->mnt->ns &&
			    mounts_is_below(m, m->root, root->mnt, root->dentry))
				return g->id;
			m = m->peer_next == g->members ? NULL : m->peer_next;
		}
	}
	return 0;
}

static void show_propagation(const struct mount *mnt, const struct path *root, struct text *out)
{
	const struct mount_group *master = mount_master(mnt);
	u32 from;

	if (mnt->group)
		text_printf(out, " shared:%u", mnt->group->id);
	if (master) {
		text_printf(out, " master:%u", master->id);
		from = mount_propagates_from(mnt, root);
		if (from && from != master->id)
			text_printf(out, " propagate_from:%u", from);
	}
	if (mnt->flags & MOUNT_UNBINDABLE)
		text_puts(out, " unbindable");
}

/* A line of /proc/PID/mountinfo. */
static void show_mountinfo(const struct mount *mnt, const struct path *root, const char *point,
			   struct text *out)
{
	const struct superblock *sb = mnt->sb;

	text_printf(out, "%u %u %u:%u ", mnt->id, mnt->parent ? mnt->parent->id : mnt->id,
		    VFS_MAJOR(sb->dev), VFS_MINOR(sb->dev));
	mount_show_root(mnt, out);
	text_puts(out, " ");
	text_escape(out, point, "");
	text_puts(out, mnt->flags & VFS_MNT_READONLY ? " ro" : " rw");
	mount_show_flags(mnt, out);
	show_propagation(mnt, root, out);
	text_printf(out, " - %s ", sb->type);
	text_escape(out, mount_source(mnt), "#");
	text_puts(out, sb->readonly ? " ro" : " rw");
	show_modes(sb, out);
	mount_show_options(mnt, out);
	text_puts(out, "\n");
}

/* A line of /proc/PID/mountstats. */
static void show_mountstats(const struct mount *mnt, const char *point, struct text *out)
{
	text_puts(out, "device ");
	text_escape(out, mount_source(mnt), "#");
	text_puts(out, " mounted on ");
	text_escape(out, point, "");
	text_printf(out, " with fstype %s\n", mnt->sb->type);
}

void vfs_show_mounts(const struct mount_ns *ns, const struct path *root, struct text *out,
		     enum mounts_text kind)
{
	char *point = malloc(VFS_PATH_MAX);
	struct mount *mnt;

	out->broken |= !point;
	for (u64 id = 0; point && (mnt = mounts_after(ns, id)); id = mnt->node.key) {
		struct path at = {mnt, mnt->root};

		if (!mounts_is_below(mnt, mnt->root, root->mnt, root->dentry) ||
		    vfs_path_name_from(root, &at, point, VFS_PATH_MAX) <= 0)
			continue;
		if (kind == MOUNTS_INFO)
			show_mountinfo(mnt, root, point, out);
		else if (kind == MOUNTS_STATS)
			show_mountstats(mnt, point, out);
		else
			show_mount(mnt, point, out);
	}
	free(point);
}
