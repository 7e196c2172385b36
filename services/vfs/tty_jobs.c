/*
 * Jobs: the session a terminal controls and the process group in its foreground.
 *
 * Source: credentials(7), ioctl_tty(2), tcsetpgrp(3), setsid(2).
 * Runs in: the personality, host tests.
 */
#include "tty_internal.h"

#include <signal.h>
#include <sys/ioctl.h>

u32 tty_pgrp(const struct tty *tty)
{
	return tty->far ? far_tty_pgrp(tty) : tty->pgrp;
}

u32 tty_session(const struct tty *tty)
{
	return tty->far ? far_tty_session(tty) : tty->session;
}

int tty_check_job(struct vfs_task *t, struct tty *tty, int sig)
{
	const struct vfs_env *env = t->vfs->env;
	void *arg = t->vfs->arg;

	if (t->ctty != tty || !tty->pgrp || t->pgrp == tty->pgrp)
		return 0;
	if (env->signal_ignored(arg, t, sig))
		return sig == SIGTTIN ? -EIO : 0;
	if (env->group_orphaned(arg, t->pgrp))
		return -EIO;
	env->signal_group(arg, t->pgrp, sig);
	return -ERESTARTSYS;
}

void tty_take_session(struct vfs_task *t, struct tty *tty)
{
	tty->session = t->sid;
	tty->pgrp = t->pgrp;
	t->vfs->env->session_set_tty(t->vfs->arg, t->sid, tty);
	t->ctty = tty;
}

void tty_session_ended(struct tty *tty, u32 sid)
{
	const struct vfs_env *env = tty->vfs->env;
	u32 pgrp = tty->pgrp;

	if (tty->far) {
		far_tty_session_ended(tty, sid);
		return;
	}
	if (!sid || tty->session != sid)
		return;
	tty->session = tty->pgrp = 0;
	if (pgrp) {
		env->signal_group(tty->vfs->arg, pgrp, SIGHUP);
		env->signal_group(tty->vfs->arg, pgrp, SIGCONT);
	}
}

/* TIOCSCTTY: @steal takes it away from another session, with CAP_SYS_ADMIN. */
static int set_controlling(struct vfs_task *t, struct tty *tty, bool steal)
{
	if (t->tgid == t->sid && tty->session == t->sid)
		return 0;
	if (t->tgid != t->sid || t->ctty)
		return -EPERM;
	if (tty->session) {
		if (!steal || !vfs_capable(t, VFS_CAP_SYS_ADMIN))
			return -EPERM;
		t->vfs->env->session_set_tty(t->vfs->arg, tty->session, NULL);
	}
	tty_take_session(t, tty);
	return 0;
}

/* TIOCNOTTY */
static int give_up(struct vfs_task *t, struct tty *tty)
{
	if (t->ctty != tty)
		return -ENOTTY;
	if (t->tgid == t->sid) {
		u32 sid = t->sid;

		tty_session_ended(tty, sid);
		t->vfs->env->session_set_tty(t->vfs->arg, sid, NULL);
	}
	t->ctty = NULL;
	return 0;
}

static int set_foreground(struct vfs_task *t, struct tty *tty, u64 arg)
{
	s32 nr;
	u32 pgrp;
	int err = tty_check_job(t, tty, SIGTTOU);

	if (err)
		return err == -EIO ? -ENOTTY : err;
	if (t->ctty != tty || tty->session != t->sid)
		return -ENOTTY;
	err = user_get(t, &nr, arg, sizeof(nr));
	if (err)
		return err;
	if (nr < 0)
		return -EINVAL;
	pgrp = task_keep_pid(t, (u32)nr);
	if (pgrp == VFS_NO_PID)
		return -ESRCH;
	if (!t->vfs->env->group_in_session(t->vfs->arg, pgrp, t->sid))
		return -EPERM;
	tty->pgrp = pgrp;
	return 0;
}

int tty_ioctl_jobs(struct vfs_task *t, struct tty *tty, bool master, u32 cmd, u64 arg)
{
	u32 id;

	switch (cmd) {
	case TIOCSCTTY:
		return set_controlling(t, tty, arg == 1);
	case TIOCNOTTY:
		return give_up(t, tty);
	case TIOCSPGRP:
		return set_foreground(t, tty, arg);
	case TIOCGPGRP:
		if (!master && t->ctty != tty)
			return -ENOTTY;
		id = tty->pgrp;
		break;
	case TIOCGSID:
		if ((!master && t->ctty != tty) || !tty->session)
			return -ENOTTY;
		id = tty->session;
		break;
	default:
		return -ENOIOCTLCMD;
	}
	id = task_show_pid(t, id);
	return user_put(t, arg, &id, sizeof(id));
}
