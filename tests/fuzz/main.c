/*
 * main.c - run a fuzz target over files, where there is no libFuzzer.
 *
 * Arguments are inputs or folders of them. A claim that does not hold kills
 * the process; a folder without an input is a failure.
 */
#include <dirent.h>
#include <errno.h>

#include "fuzz.h"

enum { INPUT_MAX = 1 << 20 };

static int run_file(const char *path) {
    static unsigned char buf[INPUT_MAX];
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return -1;
    }
    size_t n = fread(buf, 1, sizeof buf, f);
    bool failed = ferror(f) != 0;
    fclose(f);
    if (failed) {
        return -1;
    }
    unsigned char *input = fuzz_copy(buf, n, 0);
    LLVMFuzzerTestOneInput(input, n);
    free(input);
    return 0;
}

/* @return how many inputs were run, or -1 with errno */
static int run_dir(const char *path) {
    int n = 0;
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return errno == ENOTDIR && run_file(path) == 0 ? 1 : -1;
    }
    const struct dirent *e;
    while (n >= 0 && (e = readdir(dir)) != NULL) {
        char file[4096];
        if (e->d_name[0] == '.') {
            continue;
        }
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        n = run_file(file) == 0 ? n + 1 : -1;
    }
    closedir(dir);
    return n;
}

int main(int argc, char **argv) {
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash != NULL ? slash + 1 : argv[0];
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int n = run_dir(argv[i]);
        if (n < 0) {
            fprintf(stderr, "%s: %s: %s\n", name, argv[i], strerror(errno));
            return 1;
        }
        total += n;
    }
    printf("%s: %d inputs\n", name, total);
    return total > 0 ? 0 : 1;
}
