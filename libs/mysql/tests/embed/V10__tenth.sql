CREATE TABLE tenth (x INT);
