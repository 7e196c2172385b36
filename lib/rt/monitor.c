/* See monitor.h. */
#include <rt/monitor.h>
#include <rt/slots.h>

s64 monitor_ask(enum monitor_request what, struct sys_words *words, cap_t send)
{
	s64 err;

	words->w[0] = what;
	err = sys_call(DOMAIN_SLOT_MONITOR | SEND_CAP(send), words);
	return err < 0 ? err : (s64)words->w[0];
}

s64 monitor_ask_simple(enum monitor_request what, u64 a1, u64 a2, u64 a3, u64 a4)
{
	struct sys_words words = {.w = {0, a1, a2, a3, a4}};

	return monitor_ask(what, &words, CAP_NONE);
}

s64 monitor_ask_cap(enum monitor_request what, struct sys_words *words, cap_t *slot)
{
	cap_t to = slot_new();
	s64 result;

	if (to == CAP_NONE)
		return -ENOMEM;
	sys_receive_slot(to);
	result = monitor_ask(what, words, CAP_NONE);
	slot_receive_restore();
	if (result < 0)
		slot_put(to);
	else
		*slot = to;
	return result;
}
