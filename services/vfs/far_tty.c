/*
 * Controlling terminals that another core has.
 *
 * All terminals are at one core (far_files.devices). On others a struct tty stands for each that
 * controls a session there: it has a device number and nothing else, and lives as long as the
 * instance, of which there are few.
 *
 * Runs in: the personality, host tests.
 */
#include "far_file_internal.h"
#include "tty_internal.h"

#include <stdlib.h>

static struct tty *stand_in(struct vfs *vfs, u32 dev)
{
	struct tty *tty = vfs->far_ttys;

	while (tty && tty->dev != dev)
		tty = tty->next;
	if (tty)
		return tty;
	tty = calloc(1, sizeof(*tty));
	if (!tty)
		return NULL;
	tty->vfs = vfs;
	tty->dev = dev;
	tty->far = vfs->far_files->devices + 1;
	tty->next = vfs->far_ttys;
	vfs->far_ttys = tty;
	return tty;
}

struct tty *tty_of_dev(struct vfs *vfs, u32 dev)
{
	const struct far_files *all = vfs->far_files;
	struct tty *tty = vfs->ttys;

	if (!dev)
		return NULL;
	if (all && all->self != all->devices)
		return stand_in(vfs, dev);
	while (tty && tty->dev != dev)
		tty = tty->next;
	return tty ? tty : pty_slave_of_dev(vfs, dev);
}

void far_tty_put_all(struct vfs *vfs)
{
	while (vfs->far_ttys) {
		struct tty *tty = vfs->far_ttys;

		vfs->far_ttys = tty->next;
		free(tty);
	}
}

/* --- Asking, telling --- */

/* What the terminal's core says; all zero: nothing, or it is dead. */
static struct file_tty state_of(const struct tty *tty)
{
	const struct far_files *all = tty->vfs->far_files;
	struct file_tty state = {.dev = tty->dev};

	if (shard_call(all->net, tty->far - 1, FILES_TTY_STATE, &state, sizeof(state), &state,
		       sizeof(state), NULL))
		state = (struct file_tty){0};
	return state;
}

u32 far_tty_pgrp(const struct tty *tty)
{
	return state_of(tty).pgrp;
}

u32 far_tty_session(const struct tty *tty)
{
	return state_of(tty).session;
}

void far_tty_session_ended(const struct tty *tty, u32 sid)
{
	struct file_tty ended = {.dev = tty->dev, .session = sid};

	shard_tell(tty->vfs->far_files->net, tty->far - 1, FILES_TTY_ENDED, &ended, sizeof(ended));
}

/* --- Serving --- */

/* The terminal that a request is about; NULL: there is none. */
static struct tty *asked_tty(struct shard_request *request, const struct file_tty **ask)
{
	const struct far_files *all = request->arg;

	*ask = shard_args(request, sizeof(**ask));
	return *ask && all->self == all->devices ? tty_of_dev(all->vfs, (*ask)->dev) : NULL;
}

static s64 serve_state(struct shard_request *request)
{
	const struct file_tty *ask;
	const struct tty *tty = asked_tty(request, &ask);
	struct file_tty *state = tty ? shard_answer(request, sizeof(*state)) : NULL;

	if (!state)
		return -EBADMSG;
	*state = (struct file_tty){.dev = tty->dev, .pgrp = tty->pgrp, .session = tty->session};
	return 0;
}

static s64 serve_ended(struct shard_request *request)
{
	const struct file_tty *ask;
	struct tty *tty = asked_tty(request, &ask);

	if (tty)
		tty_session_ended(tty, ask->session);
	return 0;
}

int far_tty_serve(struct far_files *all)
{
	int err = shard_serve(all->net, FILES_TTY_STATE, serve_state, all);

	return err ? err : shard_serve(all->net, FILES_TTY_ENDED, serve_ended, all);
}
