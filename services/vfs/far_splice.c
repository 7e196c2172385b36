/*
 * splice(2) and tee(2) with pipes of other cores: the call is made where the pipe is that is read,
 * or else the one that is written, so that bytes leave a pipe only when they have arrived. The
 * other file is a proxy there.
 *
 * Runs in: the personality, host tests.
 */
#include "far_file_internal.h"
#include "pipe.h"

bool far_is_pipe(const struct file *file)
{
	const struct far_file *far = file->private;

	return file_is_far(file) && !(file->mode & FILE_PATH) && (far->traits & FILE_IS_PIPE);
}

bool far_splice_core(const struct splice *s, u32 *core)
{
	const struct far_file *far = NULL;

	if (far_is_pipe(s->in))
		far = s->in->private;
	else if (!file_pipe(s->in) && far_is_pipe(s->out))
		far = s->out->private;
	if (far)
		*core = far->home;
	return far != NULL;
}

s64 far_splice(struct vfs_task *t, u32 core, const struct splice *s, size_t len)
{
	struct file_splice carried = {.in_pos = s->in_pos ? *s->in_pos : 0,
				      .out_pos = s->out_pos ? *s->out_pos : 0,
				      .len = len,
				      .flags = (s->tee ? FILE_SPLICE_TEE : 0) |
					       (s->in_pos ? FILE_SPLICE_IN_POS : 0) |
					       (s->out_pos ? FILE_SPLICE_OUT_POS : 0) |
					       (s->nowait ? FILE_SPLICE_NOWAIT : 0)};
	struct far_call call = {.op = FILES_SPLICE,
				.interruptible = true,
				.data = &carried,
				.bytes = sizeof(carried),
				.out = &carried,
				.room = sizeof(carried)};
	struct file *pipe = far_is_pipe(s->in) ? s->in : s->out;
	s64 n = file_export(s->in, core, &carried.in);

	if (n)
		return n;
	n = file_export(s->out, core, &carried.out);
	if (n) {
		file_unexport(t->vfs, &carried.in, core);
		return n;
	}
	n = far_ask(t, pipe->private, &call);
	if (n <= 0)
		return n;
	if (s->in_pos)
		*s->in_pos = carried.in_pos;
	if (s->out_pos)
		*s->out_pos = carried.out_pos;
	return n;
}

s64 far_splice_serve(struct vfs_task *t, struct file_splice *carried)
{
	struct splice s = {.in_pos = carried->flags & FILE_SPLICE_IN_POS ? &carried->in_pos : NULL,
			   .out_pos =
				   carried->flags & FILE_SPLICE_OUT_POS ? &carried->out_pos : NULL,
			   .nowait = carried->flags & FILE_SPLICE_NOWAIT,
			   .tee = carried->flags & FILE_SPLICE_TEE};
	s64 n = file_import(t->vfs, &carried->in, &s.in);

	if (n) {
		file_unexport(t->vfs, &carried->out, t->vfs->far_files->self);
		return n;
	}
	n = file_import(t->vfs, &carried->out, &s.out);
	if (!n) {
		bool reads = file_pipe(s.in), writes = file_pipe(s.out);

		n = reads || (writes && !s.tee && !far_is_pipe(s.in))
			    ? splice_here(t, &s, carried->len)
			    : -EBADMSG;
		file_put(s.out);
	}
	file_put(s.in);
	return n;
}
