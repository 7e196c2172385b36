/*
 * What a program finds on its stack when it starts.
 *
 *   argc, argv[], NULL, envp[], NULL, auxv[], ... 16 random bytes, "x86_64",
 *   argument strings, environment strings, AT_EXECFN's string, 8 zero bytes, top
 *
 * Runs in: the personality's domain. Source: AMD64 supplement 1.0, 3.4; getauxval(3).
 */
#include "exec.h"
#include "random.h"
#include "syscall.h"
#include "uaccess.h"
#include "vdso.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STACK_AHEAD (2 * PAGE_SIZE) /* below the first frame, for the program's beginning */
#define STACK_FIRST (132 * KiB)     /* of address space; it grows from there */
#define END_MARK    8ul

static const char platform[] = "x86_64";

/* Where the strings go: addresses in the process. */
struct layout {
	u64 top, name, env, args, platform, random, words;
	u64 nwords;
};

static u32 cpu_features(void)
{
	u32 a = 1, b, c = 0, d;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return d;
}

static void put_aux(struct mm *mm, u64 type, u64 value)
{
	mm->auxv[mm->auxv_words++] = type;
	mm->auxv[mm->auxv_words++] = value;
}

static void make_auxv(const struct exec *e, const struct layout *l)
{
	struct mm *mm = e->mm;

	if (mm->vdso)
		put_aux(mm, AT_SYSINFO_EHDR, mm->vdso);
	put_aux(mm, AT_MINSIGSTKSZ, sigframe_min_stack());
	put_aux(mm, AT_HWCAP, cpu_features());
	put_aux(mm, AT_PAGESZ, PAGE_SIZE);
	put_aux(mm, AT_CLKTCK, TICKS_PER_S);
	put_aux(mm, AT_PHDR, e->phdr);
	put_aux(mm, AT_PHENT, 56);
	put_aux(mm, AT_PHNUM, e->phnum);
	put_aux(mm, AT_BASE, e->base);
	put_aux(mm, AT_FLAGS, 0);
	put_aux(mm, AT_ENTRY, e->program_entry);
	put_aux(mm, AT_UID, show_uid(e->thread, e->cred.uid));
	put_aux(mm, AT_EUID, show_uid(e->thread, e->cred.euid));
	put_aux(mm, AT_GID, show_gid(e->thread, e->cred.gid));
	put_aux(mm, AT_EGID, show_gid(e->thread, e->cred.egid));
	put_aux(mm, AT_SECURE, e->secure);
	put_aux(mm, AT_RANDOM, l->random);
	put_aux(mm, AT_HWCAP2, 2); /* FSGSBASE can be used */
	put_aux(mm, AT_EXECFN, l->name);
	put_aux(mm, AT_PLATFORM, l->platform);
	put_aux(mm, AT_NULL, 0);
}

static struct layout lay_out(const struct exec *e)
{
	u64 random = 0;
	struct layout l = {.top = e->stack_top};

	random_bytes(&random, sizeof(random));
	l.name = l.top - END_MARK - strlen(e->name) - 1;
	l.env = l.name - e->env.len;
	l.args = l.env - e->args.len;
	l.platform = ROUND_DOWN(l.args - random % 8192, 16) - 16;
	l.random = l.platform - 16;
	return l;
}

/* Pointers to @count strings that lie one after the other at @at. */
static u64 *put_pointers(u64 *word, const struct strings *s, u64 at)
{
	const char *string = s->at;

	for (u32 i = 0; i < s->count; i++) {
		u64 len = strlen(string) + 1;

		*word++ = at;
		at += len;
		string += len;
	}
	*word++ = 0;
	return word;
}

static int put(struct mm *mm, u64 at, const void *from, u64 len)
{
	return mm_copy(mm, (void *)(uintptr_t)from, at, len, true) == len ? 0 : -ENOMEM;
}

static int put_words(struct exec *e, struct layout *l)
{
	struct mm *mm = e->mm;
	u64 n = 1 + e->args.count + 1 + e->env.count + 1 + mm->auxv_words;
	u64 *words = malloc(n * sizeof(*words)), *word = words;
	int err;

	if (!words)
		return -ENOMEM;
	*word++ = e->args.count;
	word = put_pointers(word, &e->args, l->args);
	word = put_pointers(word, &e->env, l->env);
	memcpy(word, mm->auxv, mm->auxv_words * sizeof(*words));
	e->sp = ROUND_DOWN(l->random - n * sizeof(*words), 16);
	err = put(mm, e->sp, words, n * sizeof(*words));
	free(words);
	return err;
}

int stack_make(struct exec *e)
{
	struct mm *mm = e->mm;
	struct layout l = lay_out(e);
	u64 bytes = STACK_FIRST + ROUND_UP(l.top - l.random, PAGE_SIZE);
	u8 random[16];
	s64 at;
	int err;

	at = mm_map(mm,
		    &(struct mm_request){
			    .addr = ROUND_DOWN(l.top, PAGE_SIZE) - bytes,
			    .bytes = bytes,
			    .prot = PROT_READ | PROT_WRITE | (e->executable_stack ? PROT_EXEC : 0),
			    .flags = LMAP_FIXED,
			    .vm = VM_STACK | VMA_GROWSDOWN,
		    });
	if (at < 0)
		return (int)at;
	random_bytes(random, sizeof(random));
	make_auxv(e, &l);
	err = put(mm, l.name, e->name, strlen(e->name) + 1);
	if (!err)
		err = put(mm, l.env, e->env.at, e->env.len);
	if (!err)
		err = put(mm, l.args, e->args.at, e->args.len);
	if (!err)
		err = put(mm, l.platform, platform, sizeof(platform));
	if (!err)
		err = put(mm, l.random, random, sizeof(random));
	if (!err)
		err = put_words(e, &l);
	mm->args_start = l.args;
	mm->args_end = mm->env_start = l.env;
	mm->env_end = l.name;
	mm->stack_start = e->sp;
	if (!err)
		mm_prefault(mm, ROUND_DOWN(e->sp, PAGE_SIZE) - STACK_AHEAD, e->sp, TOUCH_WRITE);
	return err;
}
