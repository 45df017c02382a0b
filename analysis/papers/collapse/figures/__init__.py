"""Figures of Sakamoto & Sato (2026): one module each, numbered as in the paper. TITLE describes a
figure; OURS says whether the paper lacks it."""
