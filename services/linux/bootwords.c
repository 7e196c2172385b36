/* See bootwords.h. */
#include "bootwords.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Words of the kernel: those of Linux that people pass to any machine, and Skerry's. */
static const char *const kernel_words[] = {
	"acpi",
	"agree",
	"apic",
	"apparmor",
	"audit",
	"boot_delay",
	"clocksource",
	"console",
	"cores",
	"debug",
	"default_hugepagesz",
	"devtmpfs",
	"dyndbg",
	"earlycon",
	"earlyprintk",
	"faults",
	"hpet",
	"hugepages",
	"hugepagesz",
	"ignore_loglevel",
	"init",
	"initcall_debug",
	"initramfs_async",
	"initrd",
	"intel_iommu",
	"iommu",
	"isolcpus",
	"keepinitrd",
	"log_buf_len",
	"loglevel",
	"lpj",
	"lsm",
	"maxcpus",
	"mce",
	"mem",
	"memmap",
	"mitigations",
	"native",
	"net",
	"netdev",
	"no_hash_pointers",
	"noapic",
	"nohz",
	"nohz_full",
	"noinitrd",
	"nokaslr",
	"nolapic",
	"nomodule",
	"nopti",
	"norandmaps",
	"noresume",
	"nosmp",
	"notsc",
	"nowatchdog",
	"nr_cpus",
	"numa",
	"numa_balancing",
	"oops",
	"panic",
	"panic_on_oops",
	"panic_on_warn",
	"pci",
	"possible_cpus",
	"preempt",
	"printk_time",
	"pti",
	"quiet",
	"randomize_kstack_offset",
	"rcupdate",
	"rdinit",
	"reboot",
	"resume",
	"retain_initrd",
	"ro",
	"root",
	"rootdelay",
	"rootflags",
	"rootfstype",
	"rootwait",
	"rw",
	"security",
	"selinux",
	"skew_tick",
	"spectre_v2",
	"swiotlb",
	"tests",
	"transparent_hugepage",
	"tsc",
	"vdso",
	"video",
	"vsyscall",
	"vga",
	"x2apic",
};

/* A word of the line: its name, and its value behind "="; both without quotes around them. */
struct word {
	const char *name, *value;
	u64 name_len, value_len;
	bool has_value;
};

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next word of *@line, which goes behind it; false: there is none. */
static bool next_word(const char **line, struct word *w)
{
	const char *at = *line, *start, *equals = NULL;
	bool quoted = false, around;

	while (is_blank(*at))
		at++;
	if (!*at)
		return false;
	around = *at == '"';
	at += around;
	quoted = around;
	for (start = at; *at && (quoted || !is_blank(*at)); at++) {
		if (*at == '=' && !equals && at > start)
			equals = at;
		quoted ^= *at == '"';
	}
	*line = at;
	if (around && at > start && at[-1] == '"')
		at--;
	*w = (struct word){.name = start, .has_value = equals != NULL};
	w->name_len = (u64)((equals ? equals : at) - start);
	if (!equals)
		return true;
	w->value = equals + 1;
	w->value_len = (u64)(at - w->value);
	if (w->value_len && w->value[0] == '"') {
		w->value++;
		w->value_len--;
		if (w->value_len && w->value[w->value_len - 1] == '"')
			w->value_len--;
	}
	return true;
}

static bool name_is(const struct word *w, const char *name)
{
	return strlen(name) == w->name_len && memcmp(w->name, name, w->name_len) == 0;
}

static bool is_dashes(const struct word *w)
{
	return !w->has_value && name_is(w, "--");
}

/* A name with a dot is a module's; "-" and "_" are the same in names of the kernel. */
static bool is_kernels(const struct word *w)
{
	char name[32] = {0};

	if (memchr(w->name, '.', w->name_len))
		return true;
	if (w->name_len >= sizeof(name))
		return false;
	for (u64 i = 0; i < w->name_len; i++)
		name[i] = w->name[i] == '-' ? '_' : w->name[i];
	for (u32 i = 0; i < ARRAY_SIZE(kernel_words); i++) {
		if (strcmp(kernel_words[i], name) == 0)
			return true;
	}
	return false;
}

/* "name" or "name=value" as one string. */
static int add_word(struct strings *to, const struct word *w)
{
	u64 len = w->name_len + (w->has_value ? 1 + w->value_len : 0);
	char *text = malloc(len + 1);
	int err;

	if (!text)
		return -ENOMEM;
	memcpy(text, w->name, w->name_len);
	if (w->has_value) {
		text[w->name_len] = '=';
		memcpy(text + w->name_len + 1, w->value, w->value_len);
	}
	err = strings_add(to, text, len);
	free(text);
	return err;
}

/* A variable that is said twice has the last value. */
static int set_variable(struct strings *env, const struct word *w)
{
	for (u32 i = 0; i < env->count; i++) {
		const char *have = strings_get(env, i);

		if (strncmp(have, w->name, w->name_len) == 0 && have[w->name_len] == '=') {
			strings_remove(env, i);
			break;
		}
	}
	return add_word(env, w);
}

/* Who names the first process takes back the arguments so far, as on Linux. */
static int name_first(struct bootwords *words, char **path, const struct word *w)
{
	free(*path);
	*path = strndup(w->value, w->value_len);
	strings_free(&words->args);
	return *path ? 0 : -ENOMEM;
}

static int take_word(struct bootwords *words, const struct word *w)
{
	if (w->has_value && name_is(w, "rdinit"))
		return name_first(words, &words->rdinit, w);
	if (w->has_value && name_is(w, "init"))
		return name_first(words, &words->init, w);
	if (is_kernels(w))
		return 0;
	return w->has_value ? set_variable(&words->env, w) : add_word(&words->args, w);
}

int bootwords_read(struct bootwords *words, const char *line)
{
	bool behind_dashes = false;
	struct word w;
	int err;

	*words = (struct bootwords){0};
	err = strings_add(&words->env, "HOME=/", 6);
	if (!err)
		err = strings_add(&words->env, "TERM=linux", 10);
	while (!err && next_word(&line, &w)) {
		if (behind_dashes)
			err = add_word(&words->args, &w);
		else if (is_dashes(&w))
			behind_dashes = true;
		else
			err = take_word(words, &w);
	}
	return err;
}

void bootwords_free(struct bootwords *words)
{
	strings_free(&words->args);
	strings_free(&words->env);
	free(words->rdinit);
	free(words->init);
	*words = (struct bootwords){0};
}

char *bootwords_value(const char *line, const char *key)
{
	struct word w;

	while (next_word(&line, &w) && !is_dashes(&w)) {
		if (w.has_value && name_is(&w, key))
			return strndup(w.value, w.value_len);
	}
	return NULL;
}
