/*
 * Open files that go from core to core: descriptions of them, proxies' beginnings, and the tables
 * of descriptors of processes that move. See far_file.h.
 *
 * Runs in: the personality, host tests.
 */
#include "far_file_internal.h"
#include "pipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/epoll.h>

/* --- Describing --- */

static bool is_stateless_device(const struct inode *inode)
{
	u32 minor = VFS_MINOR(inode->rdev);

	return inode_is(inode, S_IFCHR) && VFS_MAJOR(inode->rdev) == 1 &&
	       (minor == 3 || minor == 5 || minor == 7 || minor == 8 || minor == 9);
}

static u32 traits_of(const struct file *file)
{
	const struct file_ops *ops = file->ops;
	const struct superblock *sb = file->path.mnt->sb;

	return (ops->seek ? FILE_HAS_SEEK : 0) |
	       (ops->seek == file_seek_nothing ? FILE_SEEKS_NOWHERE : 0) |
	       (ops->poll ? FILE_HAS_POLL : 0) | (ops->readdir ? FILE_HAS_READDIR : 0) |
	       (sb != sb->vfs->anon->sb ? FILE_HAS_PLACE : 0) |
	       (file->inode->ops->page ? FILE_HAS_PAGES : 0) |
	       (file_pipe(file) ? FILE_IS_PIPE : 0) | (file_is_epoll(file) ? FILE_IS_EPOLL : 0);
}

void file_describe(struct file *file, struct file_desc *desc)
{
	const struct inode *inode = file->inode;

	*desc = (struct file_desc){
		.kind = FILE_KIND_PROXY,
		.ino = inode->ino,
		.rdev = inode->rdev,
		.flags = file->flags,
		.mode = file->mode & (FILE_READ | FILE_WRITE | FILE_PATH | FILE_CREATED),
		.type = inode->mode,
		.traits = traits_of(file),
	};
	if (is_stateless_device(inode))
		desc->kind = FILE_KIND_DEVICE;
	snprintf(desc->name, sizeof(desc->name), "%s", file->path.dentry->name);
	if (file->ops->describe)
		file->ops->describe(file, desc);
}

static struct far_files *all_of(const struct file *file)
{
	return file->path.dentry->sb->vfs->far_files;
}

static void describe_proxy(const struct far_file *far, struct file_desc *desc)
{
	file_describe(far->file, desc);
	desc->kind = FILE_KIND_PROXY;
	desc->home = far->home;
	desc->id = far->id;
	desc->traits = far->traits;
	desc->aux[0] = far->aux;
}

int file_export_as(struct file *file, u32 core, bool weak, struct file_desc *out)
{
	struct far_files *all = all_of(file);

	if (!all)
		return -EIO;
	if (file_is_far(file)) {
		struct far_call call = {.op = FILES_LEND, .ask = {.core = core, .what = weak}};
		s64 err = far_ask(NULL, file->private, &call);

		if (!err)
			describe_proxy(file->private, out);
		if (weak)
			out->kind = FILE_KIND_WATCHED;
		return (int)err;
	}
	file_describe(file, out);
	out->home = all->self;
	if (out->kind > FILE_KIND_DEVICE)
		return 0;
	if (weak)
		out->kind = FILE_KIND_WATCHED;
	out->id = export_add(all, file, core, weak);
	return out->id ? 0 : -ENOMEM;
}

int file_export(struct file *file, u32 core, struct file_desc *out)
{
	return file_export_as(file, core, false, out);
}

void far_send_drop(struct far_files *all, u32 home, u64 id, u32 core, u32 count, bool weak)
{
	struct file_ask ask = {.id = id, .core = core, .len = count, .what = weak};

	shard_tell(all->net, home, FILES_DROP, &ask, sizeof(ask));
}

/* The reference that @desc is of @core's is given back. */
static void give_back(struct far_files *all, const struct file_desc *desc, u32 core)
{
	bool weak = desc->kind == FILE_KIND_WATCHED;
	struct export *export;

	if (!desc->id)
		return;
	if (desc->home != all->self) {
		far_send_drop(all, desc->home, desc->id, core, 1, weak);
		return;
	}
	export = export_find(all, desc->id);
	if (export)
		export_drop(export, core, 1, weak);
}

void file_unexport(struct vfs *vfs, const struct file_desc *desc, u32 core)
{
	give_back(vfs->far_files, desc, core);
}

/* --- Arriving --- */

bool desc_is_good(const struct far_files *all, const struct file_desc *desc)
{
	bool remade = desc->kind > FILE_KIND_DEVICE;

	if (desc->kind != FILE_KIND_PROXY && desc->kind != FILE_KIND_WATCHED &&
	    desc->kind < FILE_KIND_REMADE)
		return false;
	if (desc->kind >= FILE_KINDS || (remade && !all->make[desc->kind]))
		return false;
	if (desc->home >= shard_cores(all->net) || !desc->id != remade || desc->zero)
		return false;
	return memchr(desc->name, 0, sizeof(desc->name)) &&
	       !(desc->mode & ~(FILE_READ | FILE_WRITE | FILE_PATH | FILE_CREATED));
}

static struct far_file **bucket_of(struct far_files *all, u32 home, u64 id)
{
	return &all->proxies[(id ^ home) % FAR_BUCKETS];
}

struct far_file *far_find(struct far_files *all, u32 home, u64 id)
{
	struct far_file *far = *bucket_of(all, home, id);

	while (far && (far->id != id || far->home != home))
		far = far->next;
	return far;
}

int far_attach(struct far_files *all, struct file *file, const struct file_desc *desc)
{
	struct far_file *far = calloc(1, sizeof(*far)), **at;

	if (!far) {
		give_back(all, desc, all->self);
		return -ENOMEM;
	}
	*far = (struct far_file){.all = all,
				 .file = file,
				 .id = desc->id,
				 .home = desc->home,
				 .held = desc->kind != FILE_KIND_WATCHED,
				 .weak = desc->kind == FILE_KIND_WATCHED,
				 .traits = desc->traits,
				 .aux = desc->aux[0],
				 .dead = !shard_lives(all->net, desc->home)};
	at = bucket_of(all, desc->home, desc->id);
	far->next = *at;
	*at = far;
	all->nproxies++;
	file->private = far;
	file->ops = desc->mode & FILE_PATH ? &far_path_ops : far_ops_of(desc->traits);
	return 0;
}

/* What @desc is open on, if it has no place in the tree: an inode that asks the home. */
static int anon_place(struct vfs *vfs, const struct file_desc *desc, struct path *out)
{
	struct superblock *sb = vfs->anon->sb;
	struct far_inode *inode;

	inode = (struct far_inode *)inode_new(sb, &far_inode_ops, desc->type, sizeof(*inode));
	if (!inode)
		return -ENOMEM;
	inode->inode.ino = desc->ino;
	inode->inode.rdev = desc->rdev;
	inode->inode.fops = &far_reopen_ops;
	*out = (struct path){mount_get(vfs->anon), dentry_new_anon(sb, &inode->inode, desc->name)};
	if (out->dentry)
		return 0;
	mount_put(vfs->anon);
	inode_put(&inode->inode);
	return -ENOMEM;
}

/* Where the file is, as its home tells it; -ENOENT: nowhere that can be found here. */
static int tree_place(struct far_files *all, const struct file_desc *desc, struct path *out)
{
	struct far_call call = {.op = FILES_PLACE, .ask.id = desc->id, .room = FAR_PLACE_MAX};
	s64 n = -ENOENT;

	if (!(desc->traits & FILE_HAS_PLACE))
		return -ENOENT;
	call.out = malloc(FAR_PLACE_MAX);
	if (!call.out)
		return -ENOMEM;
	if (far_ask_core(all, NULL, desc->home, &call) == 0)
		n = far_place_import(all->vfs, call.out, call.got, out);
	free(call.out);
	return n < 0 ? -ENOENT : 0;
}

static int place_of(struct far_files *all, const struct file_desc *desc, struct path *out)
{
	int err = tree_place(all, desc, out);

	return err == -ENOENT ? anon_place(all->vfs, desc, out) : err;
}

/* An open file at @path that is nothing yet; takes over the path's references. */
static int blank_file(struct vfs *vfs, const struct file_desc *desc, struct path *path,
		      struct file **out)
{
	int err = file_alloc(vfs, out);

	if (err) {
		path_put(path);
		return err;
	}
	(*out)->path = *path;
	(*out)->inode = path->dentry->inode;
	(*out)->flags = desc->flags;
	(*out)->mode = desc->mode;
	return 0;
}

/* @desc becomes a proxy, or that which there is already. */
static int import_proxy(struct far_files *all, const struct file_desc *desc, struct file **out)
{
	struct far_file *far = far_find(all, desc->home, desc->id);
	struct path path;
	int err = 0;

	if (!far) {
		err = place_of(all, desc, &path);
		far = far_find(all, desc->home, desc->id); /* meanwhile? */
		if (!err && far)
			path_put(&path);
	}
	if (!err && far) {
		far->held += desc->kind != FILE_KIND_WATCHED;
		far->weak += desc->kind == FILE_KIND_WATCHED;
		*out = file_get(far->file);
		return 0;
	}
	if (!err)
		err = blank_file(all->vfs, desc, &path, out);
	if (err) {
		give_back(all, desc, all->self);
		return err;
	}
	err = far_attach(all, *out, desc);
	if (err) {
		file_put(*out);
		return err;
	}
	far = (*out)->private;
	if ((*out)->inode->ops == &far_inode_ops) {
		far->inode = (struct far_inode *)(*out)->inode;
		far->inode->far = far;
	}
	return 0;
}

/* A device without state is another opening of it here. */
static int import_device(struct far_files *all, const struct file_desc *desc, struct file **out)
{
	struct path path;
	int err = place_of(all, desc, &path);

	if (!err)
		err = blank_file(all->vfs, desc, &path, out);
	if (!err) {
		err = chrdev_attach(all->vfs, desc->rdev, *out);
		if (err)
			file_put(*out);
	}
	give_back(all, desc, all->self);
	return err;
}

/* A file of this core that has come home. */
static int import_own(struct far_files *all, const struct file_desc *desc, struct file **out)
{
	struct export *export = export_find(all, desc->id);

	if (!export || !export_ref_of(export, all->self))
		return -EBADMSG;
	*out = file_get(export->file);
	export_drop(export, all->self, 1, desc->kind == FILE_KIND_WATCHED);
	return 0;
}

int file_import(struct vfs *vfs, const struct file_desc *desc, struct file **out)
{
	struct far_files *all = vfs->far_files;

	if (!all || !desc_is_good(all, desc))
		return -EBADMSG;
	if (desc->kind > FILE_KIND_DEVICE)
		return all->make[desc->kind](vfs, desc, out);
	if (desc->home == all->self)
		return import_own(all, desc, out);
	if (desc->kind == FILE_KIND_DEVICE)
		return import_device(all, desc, out);
	return import_proxy(all, desc, out);
}

/* --- An instance among others --- */

void file_register_kind(struct vfs *vfs, u32 kind,
			int (*make)(struct vfs *vfs, const struct file_desc *desc,
				    struct file **out))
{
	vfs->far_files->make[kind] = make;
}

u32 far_files_proxies(const struct vfs *vfs)
{
	return vfs->far_files ? vfs->far_files->nproxies : 0;
}

u32 far_files_exports(const struct vfs *vfs)
{
	return vfs->far_files ? vfs->far_files->exports.count : 0;
}

static void core_died(struct shard_net *net, u32 core, void *arg)
{
	(void)net;
	export_core_died(arg, core);
	far_core_died(arg, core);
}

int far_files_join(struct vfs *vfs, struct shard_net *net, u32 devices,
		   const struct far_file_env *env, void *arg)
{
	struct far_files *all = calloc(1, sizeof(*all));
	int err;

	if (!all)
		return -ENOMEM;
	*all = (struct far_files){
		.vfs = vfs, .net = net, .env = env, .arg = arg, .devices = devices};
	all->self = shard_self(net);
	vfs->next_ino += (u64)all->self << 32; /* no two files of the system have one number */
	vfs->next_owner += (u64)all->self << 40;
	err = far_serve_all(all);
	if (!err)
		err = far_tty_serve(all);
	if (!err)
		err = shard_on_death(net, core_died, all);
	if (err) {
		free(all); /* the net knows it: the caller ends that, too */
		return err;
	}
	all->made = fd_table_new(vfs);
	if (!all->made)
		return -ENOMEM;
	vfs->far_files = all;
	return 0;
}

void far_files_leave(struct vfs *vfs)
{
	struct far_files *all = vfs->far_files;
	struct export *export;
	u64 id = 0;

	if (!all)
		return;
	while ((export = shard_handle_next(&all->exports, id, &id)) != NULL) {
		while (export_find(all, id)) {
			u32 core = export->refs->core;

			export_drop(export, core, UINT64_MAX, true);
			if (export_find(all, id))
				export_drop(export, core, UINT64_MAX, false);
		}
	}
	shard_handles_fini(&all->exports);
	fd_table_put(NULL, all->made);
	vfs->far_files = NULL;
	free(all);
}
