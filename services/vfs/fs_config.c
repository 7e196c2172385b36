/*
 * fsopen(2), fsconfig(2), fsmount(2), fspick(2): making and changing a file system step by step.
 *
 *   fsopen -> PARAMS -> CREATE -> CREATED -> fsmount -> DONE
 *   fspick -> PICKED -> RECONFIGURE -> DONE
 *
 * What went wrong is said in messages, which reading the descriptor gives, one each time.
 *
 * Runs in: the personality, host tests. Source: fsopen(2), fsconfig(2), fsmount(2), fspick(2).
 */
#include "mount_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/text.h>

#define MESSAGES    8u /* the oldest go when there are more */
#define OPTIONS_MAX PAGE_SIZE

enum phase { PARAMS, CREATED, PICKED, DONE, FAILED };

struct fs_config {
	const struct fs_type *type;
	struct superblock *sb; /* made, or to be changed; NULL: none yet */
	enum phase phase;
	char *source;        /* NULL: "none" */
	struct text options; /* as in mount(2) */
	u64 modes,
		set; /* MS_RDONLY and SB_MODES: which of them are set, and which have been said */
	char *messages[MESSAGES];
	u32 nmessages;
};

/* @key: what it is about; NULL: not about one. */
static void say(struct fs_config *c, const char *what, const char *key)
{
	struct text line = {0};

	if (key)
		text_printf(&line, "e %s: %s '%s'\n", c->type->name, what, key);
	else
		text_printf(&line, "e %s\n", what);
	if (line.broken) {
		text_free(&line);
		return;
	}
	if (c->nmessages == MESSAGES) {
		free(c->messages[0]);
		memmove(c->messages, c->messages + 1, (MESSAGES - 1) * sizeof(char *));
		c->nmessages--;
	}
	c->messages[c->nmessages++] = line.at;
}

static s64 read_message(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct fs_config *c = file->private;
	char *line = c->messages[0];
	size_t len, done;

	(void)t;
	(void)pos;
	if (!c->nmessages)
		return -ENODATA;
	len = strlen(line);
	if (len > uio->left)
		return -EMSGSIZE;
	memmove(c->messages, c->messages + 1, --c->nmessages * sizeof(char *));
	done = uio_put(uio, line, len);
	free(line);
	return done == len ? (s64)len : -EFAULT;
}

static void free_config(struct fs_config *c)
{
	while (c->nmessages)
		free(c->messages[--c->nmessages]);
	if (c->sb)
		superblock_put(c->sb);
	text_free(&c->options);
	free(c->source);
	free(c);
}

static void release(struct file *file)
{
	free_config(file->private);
}

static const struct file_ops config_ops = {.read = read_message, .release = release};

static int open_config(struct vfs_task *t, const struct fs_type *type, struct superblock *sb,
		       bool cloexec)
{
	struct fs_config *c = calloc(1, sizeof(*c));
	struct file *file;
	int err;

	if (!c)
		return -ENOMEM;
	c->type = type;
	c->sb = sb;
	if (sb) {
		sb->refs++;
		c->phase = PICKED;
	}
	err = file_new_anon(t->vfs, "anon_inode:[fscontext]", &config_ops, c, O_RDWR, &file);
	if (err) {
		free_config(c);
		return err;
	}
	return fd_add(t, file, cloexec);
}

int vfs_fsopen(struct vfs_task *t, const char *type_name, u32 flags)
{
	const struct fs_type *type;

	if (!may_mount(t))
		return -EPERM;
	if (flags & ~1u)
		return -EINVAL;
	type = fs_type_find(t->vfs, type_name);
	return type ? open_config(t, type, NULL, flags & 1) : -ENODEV;
}

int vfs_fspick(struct vfs_task *t, int dirfd, const char *name, u32 flags)
{
	const u32 cloexec = 1, nofollow = 2, empty = 8;
	struct path path;
	int err;

	if (!may_mount(t))
		return -EPERM;
	if (flags & ~0xfu)
		return -EINVAL;
	err = vfs_walk(t, dirfd, name,
		       (flags & nofollow ? 0 : WALK_FOLLOW) | (flags & empty ? WALK_EMPTY_PATH : 0),
		       &path);
	if (err)
		return err;
	if (path.dentry != path.mnt->root || path.mnt->sb->internal)
		err = -EINVAL;
	else
		err = open_config(t, fs_type_find(t->vfs, path.mnt->sb->type), path.mnt->sb,
				  flags & cloexec);
	path_put(&path);
	return err;
}

/* --- fsconfig(2) --- */

static int set_source(struct fs_config *c, const char *value)
{
	if (!value) {
		say(c, "Non-string", "source");
		return -EINVAL;
	}
	if (c->source) {
		say(c, "Multiple", "source");
		return -EINVAL;
	}
	c->source = strdup(value);
	return c->source ? 0 : -ENOMEM;
}

/* An option, "key" or "key=value", goes to the others when its file system knows it. */
static int add_option(struct vfs_task *t, struct fs_config *c, const char *key, const char *value)
{
	struct text option = {0};
	int err;

	text_puts(&option, key);
	if (value)
		text_printf(&option, "=%s", value);
	err = text_error(&option);
	if (!err && strchr(option.at, ','))
		err = -EINVAL;
	if (!err && c->type->check_option)
		err = c->type->check_option(t->vfs, option.at);
	if (!err && c->options.len + option.len + 2 > OPTIONS_MAX)
		err = -EINVAL;
	if (!err) {
		text_printf(&c->options, "%s%s", c->options.len ? "," : "", option.at);
		err = text_error(&c->options);
	}
	if (err == -ENODATA || err == -EINVAL)
		say(c, err == -ENODATA ? "Unknown parameter" : "Bad value for", key);
	text_free(&option);
	return err == -ENODATA ? -EINVAL : err;
}

static int set_param(struct vfs_task *t, struct fs_config *c, const char *key, const char *value)
{
	static const struct {
		const char *name;
		u64 mode;
		bool set;
	} modes[] = {{"ro", MS_RDONLY, true},
		     {"rw", MS_RDONLY, false},
		     {"sync", MS_SYNCHRONOUS, true},
		     {"async", MS_SYNCHRONOUS, false},
		     {"lazytime", MS_LAZYTIME, true},
		     {"nolazytime", MS_LAZYTIME, false},
		     {"dirsync", MS_DIRSYNC, true},
		     {"mand", 0, true},
		     {"nomand", 0, false}};

	if (c->phase != PARAMS && c->phase != PICKED)
		return -EBUSY;
	if (!strcmp(key, "source"))
		return set_source(c, value);
	for (u32 i = 0; i < ARRAY_SIZE(modes); i++) {
		if (strcmp(key, modes[i].name) != 0)
			continue;
		c->modes = modes[i].set ? c->modes | modes[i].mode : c->modes & ~modes[i].mode;
		c->set |= modes[i].mode;
		return 0;
	}
	return add_option(t, c, key, value);
}

static void set_modes(const struct fs_config *c, struct superblock *sb)
{
	if (c->set & MS_RDONLY)
		sb->readonly = c->modes & MS_RDONLY;
	sb->modes = (sb->modes & ~(u32)c->set) | (c->modes & SB_MODES);
}

static int create(struct vfs_task *t, struct fs_config *c, bool exclusive)
{
	struct superblock *sb;
	int err;

	if (c->phase != PARAMS)
		return -EBUSY;
	err = fs_type_mount_for(t, c->type, c->source ? c->source : "none",
				c->options.at ? c->options.at : "", &sb);
	if (err == -EPERM)
		return err;
	if (!err && exclusive && sb->refs)
		err = -EBUSY; /* one that is there already */
	if (err) {
		c->phase = FAILED;
		return err;
	}
	if (!sb->refs++) /* one that is there already stays as it is */
		set_modes(c, sb);
	c->sb = sb;
	c->phase = CREATED;
	return 0;
}

static int reconfigure(struct vfs_task *t, struct fs_config *c)
{
	int err = 0;

	if (c->phase != PICKED)
		return -EBUSY;
	if (!vfs_capable_in(t, c->sb->owner, VFS_CAP_SYS_ADMIN))
		return -EPERM;
	if (c->sb->ops->remount)
		err = c->sb->ops->remount(c->sb, c->options.at ? c->options.at : "");
	if (!err)
		set_modes(c, c->sb);
	c->phase = err ? FAILED : DONE;
	return err;
}

static int perform(struct vfs_task *t, struct fs_config *c, u32 cmd, const char *key,
		   const char *value)
{
	switch (cmd) {
	case FSCONFIG_SET_FLAG_:
	case FSCONFIG_SET_STRING_:
		return set_param(t, c, key, value);
	case FSCONFIG_CMD_CREATE_:
	case FSCONFIG_CMD_CREATE_EXCL_:
		return create(t, c, cmd == FSCONFIG_CMD_CREATE_EXCL_);
	case FSCONFIG_CMD_RECONFIGURE_:
		return reconfigure(t, c);
	default: /* binary values, paths and descriptors: no file system here takes one */
		if (c->phase != PARAMS && c->phase != PICKED)
			return -EBUSY;
		say(c, "Unknown parameter", key);
		return -EINVAL;
	}
}

/* The configuration behind @fd, with a reference to its file; an error pointer's number. */
static int config_of(struct vfs_task *t, int fd, struct file **file)
{
	*file = fd_get_real(t, fd);
	if (!*file)
		return -EBADF;
	if ((*file)->ops == &config_ops)
		return 0;
	file_put(*file);
	return -EINVAL;
}

int vfs_fsconfig(struct vfs_task *t, int fd, u32 cmd, const char *key, const char *value)
{
	struct file *file;
	int err = config_of(t, fd, &file);

	if (err)
		return err;
	err = perform(t, file->private, cmd, key, value);
	file_put(file);
	return err;
}

/* --- fsmount(2) --- */

static int mount_config(struct vfs_task *t, struct fs_config *c, u32 flags, u32 mount_flags)
{
	struct mount *mnt;
	int fd;

	if (!c->sb || c->phase == PICKED)
		return -EINVAL;
	if (c->phase != CREATED)
		return -EBUSY;
	if (flags & FSMOUNT_NAMESPACE_ && !inode_is(c->sb->root->inode, S_IFDIR))
		return -ENOTDIR;
	if (mount_check_revealing(t, c->type, &mount_flags)) {
		say(c, "VFS: Mount too revealing", NULL);
		return -EPERM;
	}
	mnt = mount_make(c->sb, c->sb->root, c->source ? c->source : "none", mount_flags);
	if (!mnt)
		return -ENOMEM;
	fd = flags & FSMOUNT_NAMESPACE_ ? mount_open_namespace(t, mnt, flags & FSMOUNT_CLOEXEC_)
					: mount_open_detached(t, mnt, 0, flags & FSMOUNT_CLOEXEC_);
	if (fd >= 0)
		c->phase = DONE;
	return fd;
}

int vfs_fsmount(struct vfs_task *t, int fd, u32 flags, u32 attr)
{
	u32 mount_flags = mount_attr_flags(attr);
	struct file *file;
	int err;

	if (flags & FSMOUNT_NAMESPACE_ ? !vfs_capable_in(t, task_user_ns(t), VFS_CAP_SYS_ADMIN)
				       : !may_mount(t))
		return -EPERM;
	if (flags & ~(FSMOUNT_CLOEXEC_ | FSMOUNT_NAMESPACE_) ||
	    attr & ~(u32)(MOUNT_ATTR_ALL & ~MOUNT_ATTR_IDMAP_) ||
	    mount_attr_atime(attr, &mount_flags))
		return -EINVAL;
	err = config_of(t, fd, &file);
	if (err)
		return err;
	err = mount_config(t, file->private, flags, mount_flags);
	file_put(file);
	return err;
}
