/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_BACKUP_FILE_H
#define TOOLS_BACKUP_FILE_H

/* The file of a backup in its folder. */
#define BACKUP_FILE	"records"

#endif
