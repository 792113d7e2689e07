CREATE TABLE second (x INT);
