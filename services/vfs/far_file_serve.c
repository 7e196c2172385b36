/*
 * What other cores ask of the files that are at home here. Every request is checked, then performed
 * by the functions that serve this core's own calls, for a task that stands for whoever asks.
 *
 * Runs in: the personality, host tests; on fibers of lib/shard.
 */
#include "far_file_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A request while it is performed. */
struct serving {
	struct far_files *all;
	struct shard_request *request;
	const struct file_ask *ask;
	const u8 *data;
	u32 bytes;
	struct file *file; /* NULL: the request is about none */
	struct vfs_task *t;
	struct file_answer head;
	u32 answered; /* bytes of answer so far, with the head */
};

typedef s64 perform_fn(struct serving *s);

/* Memory for @bytes of answer behind its head; NULL: the asker has less room, or no memory. */
static void *answer_of(struct serving *s, u32 bytes)
{
	u8 *at = shard_answer(s->request, (u32)sizeof(s->head) + bytes);

	if (!at)
		return NULL;
	s->answered = (u32)sizeof(s->head) + bytes;
	return at + sizeof(s->head);
}

static s64 answer_with(struct serving *s, const void *from, u32 bytes)
{
	void *to = answer_of(s, bytes);

	if (!to)
		return -EMSGSIZE;
	memcpy(to, from, bytes);
	return 0;
}

/* Where a read or write takes place. */
static s64 *position(struct serving *s, s64 *pos)
{
	*pos = s->ask->pos;
	return s->ask->flags & FILE_OWN_POS ? &s->file->pos : pos;
}

static s64 perform_read(struct serving *s)
{
	u32 room = s->request->room;
	u32 want = room > sizeof(s->head) ? room - (u32)sizeof(s->head) : 0;
	struct uio uio;
	s64 pos, n;
	u8 *to;

	want = (u32)MIN(want, s->ask->len);
	to = answer_of(s, want);
	if (!to)
		return -ENOMEM;
	uio_kernel(&uio, to, want);
	uio.nowait = s->ask->flags & FILE_NOWAIT;
	n = file_read(s->t, s->file, &uio, position(s, &pos));
	answer_of(s, n > 0 ? (u32)n : 0);
	return n;
}

static s64 perform_write(struct serving *s)
{
	struct uio uio;
	s64 pos, n;

	uio_kernel(&uio, (void *)s->data, s->bytes); /* which is only read */
	uio.nowait = s->ask->flags & FILE_NOWAIT;
	uio.append = !!(s->ask->flags & FILE_APPEND) - !!(s->ask->flags & FILE_NOAPPEND);
	n = file_write(s->t, s->file, &uio, position(s, &pos));
	s->head.value = (u64)pos;
	return n;
}

static s64 perform_seek(struct serving *s)
{
	if (!s->file->ops->seek)
		return -ESPIPE;
	return s->file->ops->seek(s->t, s->file, s->ask->pos, s->ask->what);
}

/* A descriptor that has been made for the asker: its file goes there. */
static s64 give_descriptor(struct serving *s, int fd)
{
	struct file *file = fd_get(s->t, fd);
	struct file_desc desc;
	s64 err;

	if (!file)
		return fd;
	vfs_close(s->t, fd);
	err = file_export(file, s->request->core, &desc);
	file_put(file);
	return err ? err : answer_with(s, &desc, sizeof(desc));
}

static s64 perform_ioctl(struct serving *s)
{
	s64 result;

	s->t->files = s->all->made; /* empty but for a moment */
	result = file_ioctl(s->t, s->file, (int)s->ask->fd, s->ask->what, s->ask->arg);
	if (result >= 0)
		result = give_descriptor(s, (int)result);
	s->t->files = NULL;
	return result;
}

static s64 perform_fcntl(struct serving *s)
{
	return file_fcntl(s->t, s->file, (int)s->ask->fd, (int)s->ask->what, s->ask->arg);
}

/* --- Folders --- */

struct names {
	struct dir_context ctx;
	u8 *at;
	u32 bytes, room;
};

static bool put_name(struct dir_context *ctx, const char *name, u32 len, u64 ino, u32 type,
		     u64 next)
{
	struct names *names = container_of(ctx, struct names, ctx);
	struct file_name *head = (struct file_name *)(names->at + names->bytes);
	u32 size = (u32)sizeof(*head) + ROUND_UP(len, 8u);

	if (size > names->room - names->bytes)
		return false;
	*head = (struct file_name){.ino = ino, .next = next, .type = type, .len = len};
	memset((u8 *)(head + 1) + ROUND_DOWN(len, 8u), 0, ROUND_UP(len, 8u) - ROUND_DOWN(len, 8u));
	memcpy(head + 1, name, len);
	names->bytes += size;
	return true;
}

static s64 perform_readdir(struct serving *s)
{
	struct names names = {.ctx = {.emit = put_name, .pos = (u64)s->ask->pos}};
	int err;

	if (!s->file->ops->readdir)
		return -ENOTDIR;
	names.room = (u32)MIN(s->ask->len, FAR_DATA_MAX);
	names.at = answer_of(s, names.room);
	if (!names.at)
		return -EMSGSIZE;
	err = s->file->ops->readdir(s->t, s->file, &names.ctx);
	answer_of(s, err ? 0 : names.bytes);
	return err ? err : (s64)names.bytes;
}

/* --- Small ones --- */

static s64 perform_fallocate(struct serving *s)
{
	if (!s->file->ops->fallocate)
		return -EOPNOTSUPP;
	return s->file->ops->fallocate(s->t, s->file, s->ask->what, (u64)s->ask->pos, s->ask->len);
}

static s64 perform_fsync(struct serving *s)
{
	return s->file->ops->fsync ? s->file->ops->fsync(s->t, s->file, s->ask->what) : -EINVAL;
}

static s64 perform_lock(struct serving *s)
{
	struct vfs_flock lock;
	int err;

	if (s->bytes != sizeof(lock))
		return -EBADMSG;
	memcpy(&lock, s->data, sizeof(lock));
	err = file_lock(s->t, s->file, (int)s->ask->what, s->ask->arg, s->request->core, &lock);
	return err ? err : answer_with(s, &lock, sizeof(lock));
}

static s64 perform_flock(struct serving *s)
{
	return file_flock(s->t, s->file, s->ask->what);
}

static s64 perform_control(struct serving *s)
{
	_Alignas(16) u8 data[FILE_CONTROL_MAX];
	s64 result;

	if (s->bytes > sizeof(data))
		return -EBADMSG;
	memcpy(data, s->data, s->bytes);
	result = file_control(s->t, s->file, s->ask->what, data, s->bytes);
	return result ? result : answer_with(s, data, s->bytes);
}

static s64 perform_closed(struct serving *s)
{
	if (s->file->inode->locks)
		locks_release_owner(s->file->inode, s->ask->arg, false, true);
	return 0;
}

static s64 perform_owner_moved(struct serving *s)
{
	if (s->file->inode->locks)
		locks_owner_moved(s->file->inode, s->ask->arg, s->request->core);
	return 0;
}

static s64 perform_stat(struct serving *s)
{
	struct inode *inode = s->file->inode;
	struct file_attr attr;
	int err = inode->ops->refresh ? inode->ops->refresh(s->t, inode) : 0;

	if (err)
		return err;
	far_attr_of(inode, &attr);
	return answer_with(s, &attr, sizeof(attr));
}

/* The caller has checked who asks, as for a file of his own core. */
static s64 perform_set_attr(struct serving *s)
{
	struct inode *inode = s->file->inode;
	const struct file_attr *wire = (const struct file_attr *)s->data;
	struct attr attr;

	if (s->bytes != sizeof(*wire))
		return -EBADMSG;
	attr = (struct attr){.valid = s->ask->what,
			     .mode = wire->mode & 07777,
			     .uid = wire->uid,
			     .gid = wire->gid,
			     .size = wire->size,
			     .atime = {wire->atime.sec, wire->atime.nsec},
			     .mtime = {wire->mtime.sec, wire->mtime.nsec},
			     .ctime = {wire->ctime.sec, wire->ctime.nsec}};
	if (inode->ops->set_attr)
		return inode->ops->set_attr(s->t, inode, &attr);
	if (attr.valid & ATTR_SIZE)
		return -EPERM;
	inode_set_attr(inode, &attr);
	return 0;
}

static s64 perform_place(struct serving *s)
{
	u8 *to = answer_of(s, FAR_PLACE_MAX);
	s64 n;

	if (!to)
		return -EMSGSIZE;
	n = far_place_export(s->all->vfs, s->request->core, &s->file->path, to, FAR_PLACE_MAX);
	answer_of(s, n > 0 ? (u32)n : 0);
	return n > 0 ? 0 : n;
}

static s64 perform_page(struct serving *s)
{
	const struct vfs *vfs = s->all->vfs;
	struct page *page;
	u8 *name;
	int err;

	if (!vfs->env->page_lend)
		return -ENODEV;
	err = file_page(s->file, (u64)s->ask->pos, s->ask->what, &page);
	if (err || !page)
		return err; /* 0: a hole */
	name = answer_of(s, VFS_PAGE_NAME);
	err = name ? vfs->env->page_lend(vfs->arg, page, s->request->core, name) : -EMSGSIZE;
	page_put(s->all->vfs, page);
	return err ? err : 1;
}

/* --- Opening --- */

/* @file, a new one whose reference is taken over, for the asker. */
static s64 give_file(struct serving *s, struct file *file)
{
	struct file_desc desc;
	s64 err;

	file_describe(file, &desc);
	desc.kind = FILE_KIND_PROXY;
	desc.home = s->all->self;
	desc.id = export_add(s->all, file, s->request->core, false);
	err = desc.id ? answer_with(s, &desc, sizeof(desc)) : -ENOMEM;
	if (err && desc.id)
		export_drop(file->exported, s->request->core, 1, false);
	file_put(file);
	return err;
}

static s64 perform_reopen(struct serving *s)
{
	struct file *file;
	u32 mode = s->ask->flags & (FILE_READ | FILE_WRITE);
	int err = file_open_path(s->t, &s->file->path, s->ask->what, mode, &file);

	return err ? err : give_file(s, file);
}

/* A FIFO that lives here: all of its openings share one pipe. The asker has checked permission. */
static s64 perform_open(struct serving *s)
{
	struct path path;
	struct file *file = NULL;
	s64 err = far_place_import(s->all->vfs, s->data, s->bytes, &path);

	if (err < 0)
		return err == -EBADMSG ? -EBADMSG : -ESTALE;
	if (path.dentry->inode->far || !inode_is(path.dentry->inode, S_IFIFO))
		err = -ESTALE;
	else
		err = file_open_path(s->t, &path, s->ask->what,
				     s->ask->flags & (FILE_READ | FILE_WRITE), &file);
	path_put(&path);
	return err ? err : give_file(s, file);
}

static const struct inode_ops device_inode_ops = {0};

/* A device of this core, opened by its number: there is no place for it. */
static s64 perform_open_device(struct serving *s)
{
	struct vfs *vfs = s->all->vfs;
	struct superblock *sb = vfs->anon->sb;
	struct inode *inode = inode_new(sb, &device_inode_ops, S_IFCHR | 0600, sizeof(*inode));
	struct path path = {.mnt = vfs->anon};
	struct file *file;
	int err;

	if (!inode)
		return -ENOMEM;
	inode->ino = ++vfs->next_ino;
	inode->rdev = (u32)s->ask->arg;
	path.dentry = dentry_new_anon(sb, inode, "device");
	if (!path.dentry) {
		inode_put(inode);
		return -ENOMEM;
	}
	err = file_open_path(s->t, &path, s->ask->what, s->ask->flags & (FILE_READ | FILE_WRITE),
			     &file);
	dentry_put(path.dentry);
	return err ? err : give_file(s, file);
}

/* --- Readiness --- */

static s64 perform_poll(struct serving *s)
{
	struct export *export = s->file->exported;
	struct export_ref *ref = export ? export_ref_of(export, s->request->core) : NULL;

	if (s->ask->what > FILE_WATCH_ALL)
		return -EBADMSG;
	if (ref && s->ask->what > ref->watch)
		export_watch(export, ref, s->ask->what);
	return 0; /* serve() tells what holds */
}

/* --- Sets that watch files --- */

static s64 perform_epoll_change(struct serving *s)
{
	return far_epoll_serve_change(s->t, s->file, s->ask, s->data, s->bytes);
}

static s64 perform_epoll_wait(struct serving *s)
{
	u32 max = (u32)MIN(s->ask->len, FAR_DATA_MAX / sizeof(struct epoll_event_abi));
	struct epoll_event_abi *events = malloc(max * sizeof(*events) + 1);
	s64 n;

	if (!events)
		return -ENOMEM;
	n = far_epoll_serve_wait(s->t, s->file, s->ask, events, max);
	if (n > 0 && answer_with(s, events, (u32)n * (u32)sizeof(*events)))
		n = -ENOMEM;
	free(events);
	return n;
}

static s64 perform_splice(struct serving *s)
{
	struct file_splice splice;
	s64 n;

	if (s->bytes != sizeof(splice))
		return -EBADMSG;
	memcpy(&splice, s->data, sizeof(splice));
	n = far_splice_serve(s->t, &splice);
	return n > 0 && answer_with(s, &splice, sizeof(splice)) ? -ENOMEM : n;
}

/* --- Requests --- */

static perform_fn *const performers[] = {
	[FILES_READ & 0xff] = perform_read,
	[FILES_WRITE & 0xff] = perform_write,
	[FILES_SEEK & 0xff] = perform_seek,
	[FILES_POLL & 0xff] = perform_poll,
	[FILES_IOCTL & 0xff] = perform_ioctl,
	[FILES_FCNTL & 0xff] = perform_fcntl,
	[FILES_READDIR & 0xff] = perform_readdir,
	[FILES_FALLOCATE & 0xff] = perform_fallocate,
	[FILES_FSYNC & 0xff] = perform_fsync,
	[FILES_LOCK & 0xff] = perform_lock,
	[FILES_FLOCK & 0xff] = perform_flock,
	[FILES_CLOSED & 0xff] = perform_closed,
	[FILES_OWNER_MOVED & 0xff] = perform_owner_moved,
	[FILES_STAT & 0xff] = perform_stat,
	[FILES_SET_ATTR & 0xff] = perform_set_attr,
	[FILES_REOPEN & 0xff] = perform_reopen,
	[FILES_OPEN & 0xff] = perform_open,
	[FILES_OPEN_DEVICE & 0xff] = perform_open_device,
	[FILES_EPOLL_CTL & 0xff] = perform_epoll_change,
	[FILES_EPOLL_WAIT & 0xff] = perform_epoll_wait,
	[FILES_SPLICE & 0xff] = perform_splice,
	[FILES_CONTROL & 0xff] = perform_control,
	[FILES_PLACE & 0xff] = perform_place,
	[FILES_PAGE & 0xff] = perform_page,
};

/* What a request says of itself. -EBADMSG: it cannot be. */
static int decode(struct serving *s)
{
	const struct file_ask *ask = shard_args(s->request, sizeof(*ask));
	u32 rest = s->request->bytes - (u32)sizeof(*ask);

	if (!ask || ask->who_bytes > rest || ask->who_bytes > FAR_WHO_MAX || ask->who_bytes % 8)
		return -EBADMSG;
	s->ask = ask;
	s->data = (const u8 *)(ask + 1) + ask->who_bytes;
	s->bytes = rest - ask->who_bytes;
	return 0;
}

/* The file that is asked about must be one that the asking core has. */
static int find_file(struct serving *s)
{
	struct export *export = export_find(s->all, s->ask->id);

	if (!export || !export_ref_of(export, s->request->core))
		return -EBADMSG;
	s->file = file_get(export->file);
	return 0;
}

/* What holds now goes with every answer, if the asker watches. */
static void add_readiness(struct serving *s)
{
	struct export *export = s->file ? s->file->exported : NULL;
	struct export_ref *ref = export ? export_ref_of(export, s->request->core) : NULL;
	struct file_answer *head;

	if (ref && (ref->watch || s->request->op == FILES_POLL))
		export_look(export, &s->head);
	head = shard_answer(s->request, MAX(s->answered, (u32)sizeof(s->head)));
	if (head)
		*head = s->head;
}

/* Perform a call, for a task that stands for who asks. */
static s64 perform_call(struct serving *s)
{
	const struct far_file_env *env = s->all->env;
	s64 result;

	s->t = env->task_begin(s->all->arg, s->request->core, s->ask + 1, s->ask->who_bytes);
	if (!s->t)
		return -ENOMEM;
	result = performers[s->request->op & 0xff](s);
	env->task_end(s->all->arg, s->t);
	add_readiness(s);
	return result;
}

static s64 serve(struct shard_request *request)
{
	struct serving s = {.all = request->arg, .request = request};
	bool needs_nobody = request->op == FILES_CLOSED || request->op == FILES_OWNER_MOVED;
	s64 result = decode(&s);

	if (!result && request->op != FILES_OPEN && request->op != FILES_OPEN_DEVICE)
		result = find_file(&s);
	if (result)
		return result;
	if (request->is_call)
		result = perform_call(&s);
	else
		result = needs_nobody ? performers[request->op & 0xff](&s) : -EBADMSG;
	if (s.file)
		file_put(s.file);
	return result;
}

/* --- Without anybody who asks --- */

static s64 serve_lend(struct shard_request *request)
{
	struct far_files *all = request->arg;
	const struct file_ask *ask = shard_args(request, sizeof(*ask));
	struct export *export = ask ? export_find(all, ask->id) : NULL;

	if (!export || !export_ref_of(export, request->core) || ask->core >= shard_cores(all->net))
		return -EBADMSG;
	if (!shard_lives(all->net, ask->core))
		return -EHOSTDOWN;
	return export_add(all, export->file, ask->core, ask->what) ? 0 : -ENOMEM;
}

static s64 serve_drop(struct shard_request *request)
{
	struct far_files *all = request->arg;
	const struct file_ask *ask = shard_args(request, sizeof(*ask));
	struct export *export = ask ? export_find(all, ask->id) : NULL;

	if (export)
		export_drop(export, ask->core, ask->len, ask->what);
	return 0;
}

static s64 serve_unwatch(struct shard_request *request)
{
	struct far_files *all = request->arg;
	const struct file_ask *ask = shard_args(request, sizeof(*ask));
	struct export *export = ask ? export_find(all, ask->id) : NULL;
	struct export_ref *ref = export ? export_ref_of(export, request->core) : NULL;

	if (ref)
		export_watch(export, ref, FILE_WATCH_NOT);
	return 0;
}

/* A file of another core, whose proxy is here, has changed. */
static s64 serve_changed(struct shard_request *request)
{
	struct far_files *all = request->arg;
	const struct file_change *change = shard_args(request, sizeof(*change));
	struct far_file *far = change ? far_find(all, request->core, change->id) : NULL;

	if (far)
		far_changed(far, change);
	return 0;
}

/* A file of another core that was only watched here is closed. */
static s64 serve_gone(struct shard_request *request)
{
	struct far_files *all = request->arg;
	const struct file_ask *ask = shard_args(request, sizeof(*ask));
	struct far_file *far = ask ? far_find(all, request->core, ask->id) : NULL;

	if (far)
		far_gone(far);
	return 0;
}

int far_serve_all(struct far_files *all)
{
	static const struct {
		u16 op;
		shard_handler *handler;
	} others[] = {{FILES_LEND, serve_lend},
		      {FILES_DROP, serve_drop},
		      {FILES_UNWATCH, serve_unwatch},
		      {FILES_GONE, serve_gone},
		      {FILES_CHANGED, serve_changed}};
	int err = 0;

	for (u16 i = 0; i < ARRAY_SIZE(performers) && !err; i++) {
		if (performers[i])
			err = shard_serve(all->net, FILE_OP(i), serve, all);
	}
	for (u32 i = 0; i < ARRAY_SIZE(others) && !err; i++)
		err = shard_serve(all->net, others[i].op, others[i].handler, all);
	return err;
}
