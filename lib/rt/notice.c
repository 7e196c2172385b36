/* See notice.h. */
#include <rt/notice.h>
#include <rt/agreed.h>
#include <rt/channel.h>
#include <rt/monitor.h>
#include <rt/task.h>

static void hand_out(s64 what, const struct sys_words *words)
{
	u32 object = (u32)words->w[1];

	switch (what) {
	case NOTICE_CHANNEL:
	case NOTICE_ACCEPT:
	case NOTICE_HANGUP:
		channel_noticed((u32)what, object, words->w[2]);
		break;
	case NOTICE_STARTED:
	case NOTICE_ENDED:
		task_noticed((u32)what, object, words->w[2], words->w[3]);
		break;
	case NOTICE_AGREED:
		agreed_noticed(object, (s64)words->w[2]);
		break;
	case NOTICE_CORES:
		agreed_cores_changed();
		break;
	default:
		break;
	}
}

void notice_poll(void)
{
	static u64 seen;
	u64 raised = __atomic_load_n(&domain_start()->notices, __ATOMIC_ACQUIRE);

	while (seen != raised) {
		struct sys_words words = {0};
		s64 what = monitor_ask(MON_NOTICE, &words, CAP_NONE);

		if (what > 0) {
			hand_out(what, &words);
			continue;
		}
		seen = raised;
		raised = __atomic_load_n(&domain_start()->notices, __ATOMIC_ACQUIRE);
	}
}
