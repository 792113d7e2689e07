-- The plan of merchants without one of their own: 1.98 %, until an operator puts another.
INSERT IGNORE INTO fee_plan (plan_id, version, merchant_id, currency, rate_basis_points, fixed_fee,
                             minimum_fee, maximum_fee, effective_from, effective_to, revision,
                             put_at_us, put_by)
VALUES (1, 1, 0, 'JPY', 198, 0, 0, 0, '2020-01-01', NULL, 1, 0, 'migration');
UPDATE slot_gate SET plan_revision = 1 WHERE plan_revision = 0;
