/*
 * A bootable ISO: GRUB for BIOS and UEFI. See iso.h.
 *
 * grub-mkrescue makes one file that starts from a CD or a USB stick, by either firmware. GRUB
 * loads the loader by multiboot2, and gives it the image as a module.
 */
#include "iso.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "build.h"
#include "image.h"
#include "options.h"
#include "run.h"

/* Both consoles; no menu, as a server has nobody to choose. What fails is shown, then retried. */
static const char grub_cfg[] = "serial --unit=0 --speed=115200\n"
			       "terminal_input serial console\n"
			       "terminal_output serial console\n"
			       "if multiboot2 /boot/skerry.elf%s; then\n"
			       "  module2 /boot/image.cpio\n"
			       "  boot\n"
			       "fi\n"
			       "sleep 5\n"
			       "reboot\n";

#define MODULES                                                                                    \
	"--install-modules=normal multiboot2 serial terminal test sleep reboot all_video iso9660 " \
	"part_gpt part_msdos part_acorn part_amiga part_bsd part_dfly part_dvh part_plan "         \
	"part_sun part_sunpc"

static void copy_file(const char *from, const char *to)
{
	struct buf b = {0};

	if (file_read(from, &b))
		die("cannot read %s", from);
	file_write(to, b.v, b.n);
}

/* Fails with the package that has what is missing, as grub-mkrescue itself does not say. */
static void check_tools(void)
{
	static const struct {
		const char *file, *package;
	} needs[] = {
		{"/usr/bin/grub-mkrescue", "grub-common"},
		{"/usr/lib/grub/i386-pc/multiboot2.mod", "grub-pc-bin"},
		{"/usr/lib/grub/x86_64-efi/multiboot2.mod", "grub-efi-amd64-bin"},
		{"/usr/bin/xorriso", "xorriso"},
		{"/usr/bin/mformat", "mtools"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		if (!file_exists(needs[i].file))
			die("an ISO takes %s: install the package %s", needs[i].file,
			    needs[i].package);
	}
}

/* The words of @append, each in quotes, so that GRUB's shell leaves them alone. */
static char *quote_words(const char *append)
{
	struct strv words = {0};
	struct buf quoted = {0};

	strv_split(&words, append);
	buf_add(&quoted, "", 0);
	for (size_t i = 0; i < words.n; i++) {
		buf_addf(&quoted, " '");
		for (const char *s = words.v[i]; *s; s++)
			buf_addf(&quoted, *s == '\'' ? "'\\''" : "%c", *s);
		buf_addf(&quoted, "'");
	}
	return quoted.v;
}

void iso_write(const char *file, const char *loader, const char *image, const char *append)
{
	char *dir = strf("%s/iso/%d", build_dir(), getpid());
	char *made = strf("%s.iso", dir);
	char *cfg = strf(grub_cfg, quote_words(append));
	struct strv argv = {0}, clean = {0};
	struct buf out = {0};

	check_tools();
	copy_file(loader, strf("%s/boot/skerry.elf", dir));
	copy_file(image, strf("%s/boot/image.cpio", dir));
	file_write(strf("%s/boot/grub/grub.cfg", dir), cfg, strlen(cfg));
	strv_split(&argv, "grub-mkrescue --fonts= --locales= --themes=");
	/* Just what is needed: a small ISO is made, and read, in a moment. */
	strv_add(&argv, MODULES);
	strv_addf(&argv, "--output=%s", made);
	strv_add(&argv, dir);
	if (run_collect(&argv, &out) || rename(made, file))
		die("grub-mkrescue failed; to see why: %s", strv_join(&argv, " "));
	strv_split(&clean, "rm -rf");
	strv_add(&clean, dir);
	run_program(&clean);
}

static void help(void)
{
	puts("usage: hake/iso [--topology T] [--append WORDS] [-- PROGRAM [ARGUMENTS]]\n\n"
	     "Makes build/skerry.iso, which starts by BIOS and UEFI from a CD or a USB stick\n"
	     "(copy it to the whole stick, with dd). The topology is what the machine is\n"
	     "expected to be; where the real one differs, it wins.");
}

int iso_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"topology", required_argument, NULL, 't'},
		{"append", required_argument, NULL, 'a'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct boot b = {.topology = "laptop"};
	struct strv program = {0}, target = {0};
	char *file = strf("%s/skerry.iso", build_dir());
	struct project p = {0};

	for (int c; (c = parse_option(argc, argv, options, true)) != -1;) {
		if (c == 'h') {
			help();
			return 0;
		}
		*(c == 't' ? &b.topology : &b.append) = optarg;
	}
	for (; optind < argc; optind++)
		strv_add(&program, argv[optind]);
	if (program.n)
		b.program = strv_join(&program, " ");
	build_configure(&p);
	boot_check(&p, &b);
	strv_add(&target, "image");
	ninja_run(&target);
	iso_write(file, boot_loader(&p), image_write(&p, topology_load(b.topology, 0)),
		  boot_append(&b));
	printf("%s\n", file);
	return 0;
}
