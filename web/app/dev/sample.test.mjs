// What the page does on the sample, in one browser:  node --test dev/sample.test.mjs
// One part of it:  node --test dev/checks/axe.mjs, with --test-name-pattern for one check.

import "./checks/page.mjs";
import "./checks/people.mjs";
import "./checks/chat.mjs";
import "./checks/erase.mjs";
import "./checks/media.mjs";
import "./checks/hands.mjs";
import "./checks/focus.mjs";
import "./checks/choosing.mjs";
import "./checks/writing.mjs";
import "./checks/marks.mjs";
import "./checks/rooms.mjs";
import "./checks/axe.mjs";
import "./checks/large.mjs";
import "./checks/rtl.mjs";
import "./checks/motion.mjs";
import "./checks/looks.mjs";
