/* SPDX-License-Identifier: Apache-2.0 */
/* views: saved views are settings under this prefix, with routes of their own. Private to server/. */
#ifndef KITH_SERVER_VIEWS_H
#define KITH_SERVER_VIEWS_H

#define SETTING_VIEW_PREFIX "view."

#endif
