/* One folder an input: what a target leaves behind cannot reach the next input. In memory where the
 * system has such a place, since a disk would take most of a target's time. */
#include "fuzz_folder.h"

#include <glib/gstdio.h>
#include <stdbool.h>
#include <unistd.h>

char *fuzz_folder_new(void)
{
    bool memory = g_access("/dev/shm", W_OK) == 0;
    char *folder =
        g_build_filename(memory ? "/dev/shm" : g_get_tmp_dir(), "orrery-fuzz-XXXXXX", NULL);
    g_assert(g_mkdtemp(folder));
    return folder;
}

char *fuzz_folder_put(const char *folder, const char *name, const void *data, size_t size)
{
    char *path = g_build_filename(folder, name, NULL);
    FILE *file = g_fopen(path, "wb");
    g_assert(file);
    size_t written = size > 0 ? fwrite(data, 1, size, file) : 0;
    g_assert(written == size && fclose(file) == 0);
    return path;
}

void fuzz_folder_free(char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
}
